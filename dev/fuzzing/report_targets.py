"""What `fpd report` and `fpd compare` read of runs, beside their weights."""

import json
import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from fpd_mmpose.reports.logs import read_log
from fpd_mmpose.run_reports import report_runs
from fuzzing.mutations import LITERALS, damaged_bytes, strange_value
from fuzzing.run_targets import STRANGE_CONFIGS, log_lines
from fuzzing.subjects import Subject, Target, lines_subject

_TIME = '20260101_000000'
_CONFIG = """\
default_hooks = dict(checkpoint=dict(rule='greater', save_best='PCKh/Mean'))
load_from = None
model = dict(backbone=dict(num_stacks=1, type='StackedHourglass'), type='FPDDistiller')
randomness = dict(seed=0)
train_cfg = dict(max_epochs=2)
val_dataloader = dict(dataset=dict(ann_file='valid.json', pipeline=[], type='A'))
work_dir = 'runs/seed_0'
"""
_LOG = """\
2026/01/01 10:00:00 - mmengine - INFO -
------------------------------------------------------------
System environment:
    sys.platform: linux
    Python: 3.11.7 (main)
    GPU 0,1: NVIDIA H100
    seed: 7
    GPU number: 1

Runtime environment:
    seed: 7
------------------------------------------------------------
2026/01/01 10:30:00 - mmengine - INFO - Epoch(train) [1][10/20]
"""


def _write_run(folder: Path) -> None:
    log = folder / _TIME
    (log / 'vis_data').mkdir(parents=True)
    lines = ''.join(json.dumps(line) + '\n' for line in log_lines())
    files = {
        log / 'vis_data' / 'scalars.json': lines,
        log / 'vis_data' / 'config.py': _CONFIG,
        log / f'{_TIME}.log': _LOG,
        folder / 'last_checkpoint': '/work/runs/epoch_2.pth',
    }
    for path, text in files.items():
        path.write_text(text, encoding='utf-8')


def _report(
    name: str,
    subject_of: Callable[[Path, Callable[[], Any]], Subject],
    draws: bool = False,
) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        for run in ('a', 'b'):
            _write_run(folder / run)

        def read() -> Any:
            report = report_runs([folder / 'a', folder / 'b'])
            assert isinstance(report.markdown(), str)
            if draws and find_spec('plotly'):
                from fpd_mmpose.run_reports.course_figure import draw_courses

                assert isinstance(draw_courses(report.rows).to_json(), str)
            read_log(folder / 'a')
            # Scores and losses of a run that diverged may be NaN.
            return [
                run.best and run.best.step for row in report.rows for run in row.runs
            ]

        return subject_of(folder / 'a' / name, read)

    return prepare


def _text_subject(
    text: str, strange: Sequence[bytes] = ()
) -> Callable[[Path, Callable[[], Any]], Subject]:
    valid = text.encode()

    def damage(rng: Random) -> bytes:
        kind = rng.random()
        if strange and kind < 0.2:
            return damaged_bytes(rng, valid) + rng.choice(strange)
        if kind < 0.6:
            # A value of another type, or a number of other digits.
            lines = valid.splitlines(keepends=True)
            place = rng.randrange(len(lines))
            key, sign, _ = re.split(rb'( = |: |$)', lines[place], maxsplit=1)
            value = strange_value(rng)
            text = LITERALS.get(value, value) if isinstance(value, str) else repr(value)
            lines[place] = key + sign + text.encode(errors='replace') + b'\n'
            return b''.join(lines)
        return damaged_bytes(rng, valid)

    return lambda path, read: Subject(path, [valid], damage, read)


def _log_subject(path: Path, read: Callable[[], Any]) -> Subject:
    return lines_subject(path, [log_lines()], read)


TARGETS = {
    'report_curves': Target(
        _report(f'{_TIME}/vis_data/scalars.json', _log_subject, draws=True), 50
    ),
    'report_log': Target(_report(f'{_TIME}/vis_data/scalars.json', _log_subject), 8),
    'report_config': Target(
        _report(f'{_TIME}/vis_data/config.py', _text_subject(_CONFIG, STRANGE_CONFIGS)),
        8,
    ),
    'report_text': Target(_report(f'{_TIME}/{_TIME}.log', _text_subject(_LOG)), 8),
    'report_pointer': Target(
        _report('last_checkpoint', _text_subject('/work/runs/epoch_2.pth')), 8
    ),
}
