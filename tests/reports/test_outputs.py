"""The command writes tables in each format, from runs of MMEngine itself."""

import csv
import io
from functools import partial

import pytest

from fpd_mmpose.cli import main as fpd
from fpd_mmpose.reports import compare
from tests.helpers.finished import write_run
from tests.helpers.reduced import reduced_config, run

main = partial(fpd, command='compare')


def test_the_command_prints_and_writes(tmp_path, capsys):
    student = write_run(tmp_path / 'student', {1: 80.0, 2: 81.0})
    fpd = write_run(tmp_path / 'fpd', {1: 82.0}, load_from=student / 'epoch_2.pth')
    files = [tmp_path / 'out' / f'table.{suffix}' for suffix in ('md', 'csv')]
    main(
        ['--run', f'student={student}', '--run', f'FPD={fpd}', '--baseline', 'student']
        + [word for file in files for word in ('--out', str(file))]
    )
    printed = capsys.readouterr().out
    assert printed == files[0].read_text()
    rows = {
        row['Arch']: row for row in csv.DictReader(io.StringIO(files[1].read_text()))
    }
    assert rows['FPD']['Mean'] == '82.000' and rows['FPD']['Epochs'] == '3'
    assert rows['FPD']['Gain'] == '1.000' and rows['FPD']['Equal budget'] == 'no'
    assert rows['student']['Gain'] == '' and rows['student']['Steps'] == '20'
    assert sorted(files) == sorted((tmp_path / 'out').iterdir()), 'nothing else left'


def test_errors_are_one_line(tmp_path):
    with pytest.raises(SystemExit) as error:
        main(['--run', 'a=nowhere'])
    assert str(error.value).splitlines()[-1].startswith('error: "nowhere" is not a')
    with pytest.raises(
        SystemExit,
        match='error: "x.pdf" must end in .md,',
    ):
        main(['--run', 'a=nowhere', '--out', 'x.pdf'])


@pytest.mark.slow
def test_runs_of_mmengine_itself(mpii_root, tmp_path):
    def trained(name, epochs, load_from=None):
        config = reduced_config(
            'hourglass/hg4_128_mpii.py',
            mpii_root,
            tmp_path / name,
            stacks=1,
            features=8,
            epochs=epochs,
        )
        config.load_from = load_from and str(load_from)
        config.log_level = 'INFO'
        return run(config)

    first = trained('plain', 2)
    second = trained('more', 1, load_from=tmp_path / 'plain' / 'epoch_2.pth')

    config = next((tmp_path / 'plain').glob('*.py'))
    files = [config, tmp_path / 'plain' / 'epoch_2.pth', tmp_path / 'plain']
    table = compare(
        [['plain', *map(str, files)], [f'more={tmp_path / "more"}']], ['plain']
    )
    plain, more = table.rows
    steps = len(first.train_dataloader)
    assert (plain.budget.epochs, plain.budget.steps) == ((2,), 2 * steps)
    assert (more.budget.epochs, more.budget.steps) == ((2, 1), 3 * steps)
    assert more.budget.samples == 3 * steps * 4
    assert plain.input_size == (64, 64)
    for row, runner in zip(table.rows, (first, second), strict=True):
        model = runner.model
        assert row.complexity.params == sum(p.numel() for p in model.parameters())
        scores = runner.message_hub.get_scalar('val/PCKh/Mean').current()
        assert row.mean('Mean') == pytest.approx(scores)
        assert row.mean('AUC') >= 0
