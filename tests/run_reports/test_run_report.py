"""Reports of runs: their numbers, and what the logs say that were cut off."""

import json
import time
from pathlib import Path

import pytest

from fpd_mmpose.cli import main
from fpd_mmpose.reports.literal_config import differ_by_seed
from fpd_mmpose.run_reports import report_runs
from tests.helpers.finished import COCO, config_text, write_log, write_run
from tests.helpers.refusals import exit_line, refused


def change(folder: Path, *changes: tuple[str, str]) -> Path:
    """Changes the config in the log of a run."""
    (path,) = folder.glob('*/vis_data/config.py')
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return folder


def seeded(folder: Path, seed: int, scores: dict[int, float], **settings) -> Path:
    """A run whose config and folder name a seed."""
    run = write_run(folder / f'seed_{seed}', scores, **settings)
    return change(run, ('seed=0', f'seed={seed}'), ("'run'", repr(str(run))))


def rows_of(report) -> dict[str, dict[str, str]]:
    return {cells['Run']: cells for cells in report.results}


def test_the_best_scores_and_the_gain_over_the_first_run(tmp_path):
    plain = write_run(tmp_path / 'plain', {1: 50.0, 2: 60.0, 3: 58.0})
    fpd = write_run(tmp_path / 'fpd', {1: 50.0, 3: 63.5})
    report = report_runs([plain, f'with teacher={fpd}'])
    rows = rows_of(report)
    assert list(rows) == ['plain', 'with teacher']
    assert list(rows['plain'])[1:9] == [
        'Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean',
    ]  # fmt: skip
    assert (rows['plain']['Mean'], rows['plain']['Best at']) == ('60.000', 'epoch 2')
    assert rows['plain']['Over plain'] == ''
    assert rows['with teacher']['Over plain'] == '+3.500'
    assert rows['with teacher']['State'] == 'finished'
    assert rows_of(report_runs([plain, fpd], str(fpd)))['plain'][
        'Over fpd'
    ] == '-3.500'  # fmt: skip


def test_runs_that_differ_in_their_seeds_alone_are_one_row(tmp_path):
    runs = []
    for name, scores in dict(plain=(60.0, 64.0, 50.0), fpd=(66.0, 68.0)).items():
        for seed, score in enumerate(scores):
            start = f'start/seed_{seed}/best.pth'
            runs.append(seeded(tmp_path / name, seed, {2: score}, load_from=start))
    for run in runs[3:]:
        change(run, ('num_features=8', 'num_features=9'))
    rows = rows_of(report_runs(runs))
    assert {name: row['Seeds'] for name, row in rows.items()} == dict(
        plain='3', fpd='2'
    )
    assert rows['plain']['Mean'] == '58.000'
    # The third plain run has no pair.
    assert rows['fpd']['Over plain'] == '+5.000 [+4.000, +6.000]'


def test_another_difference_or_the_same_seed_makes_two_rows(tmp_path):
    first, other = (seeded(tmp_path, seed, {2: 50.0}) for seed in (0, 1))
    change(other, ('num_features=8', 'num_features=9'))
    assert len(report_runs([first, other]).rows) == 2
    again = seeded(tmp_path / 'again', 0, {2: 50.0})
    names = [row.name for row in report_runs([first, again]).rows]
    assert names == ['seed_0', 'again/seed_0']
    assert 'two runs are named "a"' in refused(
        report_runs, [f'a={first}', f'a={again}']
    )


def test_runs_on_other_data_are_not_compared(tmp_path):
    plain = write_run(tmp_path / 'plain', {1: 50.0})
    moved = change(
        write_run(tmp_path / 'moved', {1: 60.0}), ('mpii_val.json', 'b.json')
    )
    coco = write_run(tmp_path / 'coco', {1: 0.7}, layout=COCO)
    report = report_runs([plain, moved, coco])
    rows = rows_of(report)
    assert rows['moved']['Over plain'] == rows['coco']['Over plain'] == 'other data'
    assert rows['coco']['AP'] == '0.700' and rows['plain']['AP'] == ''
    assert any(note.startswith('WARNING: runs with "other') for note in report.notes)


def test_what_differs_is_listed_and_more_training_is_said(tmp_path):
    plain = write_run(tmp_path / 'plain', {1: 50.0})
    longer = write_run(tmp_path / 'longer', {1: 60.0}, 'plain.pth', features=9)
    report = report_runs([plain, longer])
    assert [*report.settings[0].values()] == ['load_from', 'None', 'plain.pth']
    assert report.settings[1]['Field'] == 'model.backbone.num_features'
    assert any('differ in load_from, so a gain may' in note for note in report.notes)


def test_a_resumed_run_is_one_course(tmp_path):
    write_log(tmp_path / '20260101_000000', {1: 1.0, 2: 2.0}, config_text('a.pth'))
    write_log(tmp_path / '20260102_000000', {2: 20.0, 3: 3.0}, config_text(resume=True))
    (row,) = report_runs([tmp_path]).rows
    assert [point.step for point in row.first.training] == [10, 20, 30]
    assert [p.values['PCKh/Mean'] for p in row.first.validations] == [1.0, 20.0, 3.0]
    assert row.first.settings['load_from'] == 'a.pth'


def test_a_run_that_counts_in_steps(tmp_path):
    """With ``log_processor.by_epoch=False``, no record has an epoch."""
    run = write_run(tmp_path / 'run', {1: 1.0, 2: 20.0})
    (log,) = run.glob('*/vis_data/scalars.json')
    records = [json.loads(line) for line in log.read_text().splitlines()]
    for record in records:
        record.pop('epoch', None)
    log.write_text(''.join(json.dumps(record) + '\n' for record in records))
    (row,) = report_runs([run]).rows
    assert [point.step for point in row.first.training] == [10, 20]
    assert [p.values['PCKh/Mean'] for p in row.first.validations] == [1.0, 20.0]


def test_a_run_that_goes_on_shows_what_is_there(tmp_path):
    write_log(tmp_path / 'cut/20260101_000000', {1: 1.0, 2: 2.0}, config_text())
    run = change(tmp_path / 'cut', ('max_epochs=1', 'max_epochs=5'))
    (log,) = run.glob('*/vis_data/scalars.json')
    log.write_text(log.read_text()[:-20])
    started = tmp_path / 'started/20260101_000000'
    started.mkdir(parents=True)
    (started / '20260101_000000.log').write_text('half a li')
    report = report_runs([run, tmp_path / 'started'])
    rows = rows_of(report)
    assert rows['cut']['State'] == 'running or stopped'
    assert rows['cut']['Mean'] == '1.000'
    assert rows['started']['State'] == 'no training logged'
    assert any('may still change' in note for note in report.notes)


def test_no_config_is_executed(tmp_path):
    run = write_run(tmp_path / 'run', {1: 50.0})
    trap = f'import os\nos.mkdir({str(tmp_path / "trap")!r})\n'
    for path in (*run.glob('*.py'), *run.glob('*/vis_data/*.py')):
        path.write_text(f'{trap}{path.read_text()}\nx = os.mkdir("trap")\n')
    (row,) = report_runs([run]).rows
    assert row.first.settings['x'] == "os.mkdir('trap')"
    assert not (tmp_path / 'trap').exists()


def test_a_config_that_is_none_leaves_the_scores(tmp_path):
    run = write_run(tmp_path, {1: 50.0})
    for path in (*run.glob('*.py'), *run.glob('*/vis_data/*.py')):
        path.write_text('(' * 5000)
    assert report_runs([run]).results[0]['Mean'] == '50.000'


@pytest.mark.parametrize('value', ['[1, 2]', "{'a': 1}", '0x' + 'f' * 6000, "'a' * 2"])
def test_a_strange_value_in_a_config_leaves_the_scores(value, tmp_path):
    run, other = (write_run(tmp_path / name, {1: 50.0}) for name in ('run', 'other'))
    change(run, ('seed=0', f'seed={value}'), ('max_epochs=1', f'max_epochs={value}'))
    for path in run.glob('*/vis_data/config.py'):
        path.write_text(f'{path.read_text()}\nx = {value}\n')
    report = report_runs([run, other])
    assert [cells['Mean'] for cells in report.results] == ['50.000', '50.000']
    assert {cells['Field'] for cells in report.settings} == {
        'x',
        'train_cfg.max_epochs',
    }
    assert report.results[0]['State'] == 'running or stopped'
    pytest.importorskip('plotly')
    report.save(tmp_path / 'report.html')


def test_long_texts_in_configs_are_not_multiplied():
    folders = ('a', 'b' * 1_000_000)
    one, other = (
        {'work_dir': folder, 'randomness': {'seed': seed}, 'x': 'a' * 1_000_000 + end}
        for seed, (folder, end) in enumerate(zip(folders, 'cd', strict=True))
    )
    assert not differ_by_seed(one, other)


def test_bad_input_is_one_line(tmp_path):
    assert 'has no run: give a work directory' in refused(
        report_runs, [tmp_path / 'none']
    )
    assert 'has no run: give a work directory' in refused(report_runs, [tmp_path])
    run = write_run(tmp_path / 'run', {1: 50.0})
    message = refused(report_runs, [run], 'plain')
    assert message == '`baseline`: "plain" is not one of the runs (run)'
    page = str(tmp_path / 'report.pdf')
    assert 'must end in .html, .md' in exit_line(
        main, ['report', str(run), '--out', page]
    )
    (log,) = run.glob('*/vis_data/scalars.json')
    log.write_text('no JSON\n' + log.read_text())
    assert 'line 1: not JSON' in refused(report_runs, [run])


def test_the_command_prints_the_tables_and_writes_them(tmp_path, capsys):
    run = write_run(tmp_path / 'run', {1: 50.0})
    main(['report', str(run), '--out', str(tmp_path / 'report.md')])
    printed = capsys.readouterr().out.strip()
    assert '50.000' in printed and '## Machines and times' in printed
    written = (tmp_path / 'report.md').read_text(encoding='utf-8')
    assert written == f'# Training report\n\n{printed}\n'


def test_an_hourly_cost_must_be_a_number_of_at_least_0(tmp_path):
    run = write_run(tmp_path / 'run', {1: 50.0})
    for cost in (-1.0, float('nan'), float('inf')):
        assert 'the hourly cost must be 0 or more' in refused(
            report_runs, [run], hourly_cost=cost
        )


@pytest.mark.parametrize(
    'line',
    [
        pytest.param('System environment:\n', id='environments without an end'),
        pytest.param(' - Command line: ', id='commands in one line'),
    ],
)
def test_a_log_that_repeats_itself_is_read_at_once(line, tmp_path):
    run = write_run(tmp_path / 'run', {1: 50.0})
    (log,) = run.glob('*/*.log')
    log.write_text('System environment:\n' + line * (3_000_000 // len(line)))
    start = time.process_time()
    assert report_runs([run]).machines[0]['Device'] == ''
    assert time.process_time() - start < 3


def test_a_damaged_line_on_the_network_is_ignored(tmp_path):
    run = write_run(tmp_path / 'run', {1: 50.0})
    (log,) = run.glob('*/*.log')
    known = rows_of(report_runs([run]))['run']['Params']
    log.write_text('2026/01/01 00:00:00 - INFO - Network: ,, parameters, 1 GFLOPs')
    assert rows_of(report_runs([run]))['run']['Params'] == known
