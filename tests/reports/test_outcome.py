"""A distillation ends with a table of teacher, start, and best student."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from tests.helpers.reduced import reduced_config, reduced_distiller

HOOK = dict(type='ValidateBeforeTrainingHook')


def run(config, monkeypatch) -> tuple[Runner, list[str]]:
    """Trains, and returns the lines of the table."""
    runner = Runner.from_cfg(config)
    lines = []
    monkeypatch.setattr(runner.logger, 'info', lambda text: lines.append(str(text)))
    runner.train()
    tables = [line for line in lines if line.startswith('Scores:')]
    return runner, tables[0].splitlines()[1:] if tables else []


def test_the_table_and_the_checkpoints_have_the_three_scores(
    mpii_root, tmp_path, monkeypatch
):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8, epochs=2)
    student = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path / 'plain', 1, 8
    )
    Runner.from_cfg(student).train()
    config.custom_hooks = [HOOK]
    config.load_from = str(tmp_path / 'plain/epoch_1.pth')
    runner, table = run(config, monkeypatch)

    hub = runner.message_hub
    best = hub.get_info('best_score')
    before = 'before_training/{}/PCKh/Mean'
    expected = {
        'Teacher': hub.get_scalar(before.format('teacher')).current(),
        'Start': hub.get_scalar(before.format('student')).current(),
        'Best student': best,
    }
    heading, _, *rows = [[cell.strip() for cell in row.split('|')] for row in table]
    place = heading.index('Mean')
    assert {row[1]: row[place] for row in rows} == {
        name: f'{value:.3f}' for name, value in expected.items()
    }
    (path,) = Path(config.work_dir).glob('best_*.pth')
    scores = torch.load(path)['meta']['scores']
    assert list(scores) == ['teacher', 'start', 'best']
    assert (
        scores['best']['PCKh/Mean']
        == best
        == max(hub.get_scalar('val/PCKh/Mean').data[0])
    )

    # They survive a resumption.
    resumed = copy.deepcopy(config)
    resumed.load_from, resumed.resume = None, True
    resumed.train_cfg.max_epochs = 3
    resumed.experiment_name = resumed.visualizer.name = 'resumed_outcome'
    _, again = run(resumed, monkeypatch)
    assert again[2:4] == table[2:4] and len(again) == 5


@pytest.mark.parametrize('hooks', [[HOOK], []])
def test_rows_that_are_not_known_are_left_out(mpii_root, tmp_path, monkeypatch, hooks):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    config.custom_hooks = hooks
    _, table = run(config, monkeypatch)
    names = [row.split('|')[1].strip() for row in table[2:]]
    # Random weights are no start.
    assert names == ['Teacher'] * len(hooks) + ['Best student']


def test_plain_training_has_none(mpii_root, tmp_path, monkeypatch):
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 1, 8)
    runner, table = run(config, monkeypatch)
    assert not table
    assert 'scores' not in torch.load(Path(runner.work_dir) / 'epoch_1.pth')['meta']


def test_without_a_best_checkpoint_it_has_the_last_student(
    mpii_root, tmp_path, monkeypatch
):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    config.default_hooks.checkpoint.save_best, config.custom_hooks = None, []
    runner, table = run(config, monkeypatch)
    last = runner.message_hub.get_scalar('val/PCKh/Mean').current()
    (row,) = table[2:]
    assert row.startswith('| Last student |') and f' {last:.3f} |' in row
