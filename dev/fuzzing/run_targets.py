"""What runs leave in their folders."""

import json
from pathlib import Path
from random import Random
from typing import Any

import torch

from fpd_mmpose.detection.detection_run import restored_records
from fpd_mmpose.detection.journal import Journal
from fpd_mmpose.reports.finished_runs import read_run, start_of
from fpd_mmpose.reports.logs import read_log
from fpd_mmpose.runs.checkpoint_folder import named_in
from fpd_mmpose.studies.run_curve import read_curve
from fpd_mmpose.studies.run_record import RECORD, read_record
from fpd_mmpose.studies.study_plan import Arm, StudyPlan
from fpd_mmpose.studies.study_report import StudyReport
from fpd_mmpose.synthetic import write_dataset
from fuzzing.mutations import damaged_bytes, strange_value
from fuzzing.subjects import Subject, Target, json_subject, lines_subject

#: Ends of configs that are hard to parse.
STRANGE_CONFIGS: tuple[bytes, ...] = (
    b'a = ' + b'(' * 300 + b')' * 300,
    b'a = ' + b'-' * 100_000 + b'1',
    b'a = ' + b'[' * 5000,
    b'a' + b'.a' * 50_000,
    b'a = 1' + b'0' * 5000,
    b'load_from = b"x"',
    b'resume = ...',
    b'load_from = "a\\0b"',
    b'if 1:\n' * 200 + b'  a',
    b'\0',
)


def log_lines() -> list[dict]:
    """Makes what MMEngine logs of a training run."""
    lines: list[dict] = []
    for epoch in (1, 2):
        for step in (10, 20):
            lines.append(
                dict(
                    lr=0.01,
                    loss=0.5 / step,
                    loss_kpt=0.4 / step,
                    pose=0.3,
                    time=0.1,
                    epoch=epoch,
                    step=step * epoch,
                    iter=step * epoch,
                )
            )
        lines.append({'PCKh/Mean': 50.0 + epoch, 'time': 0.1, 'step': epoch})
    return lines


def _log(folder: Path) -> Subject:
    path = folder / 'scalars.json'

    def read() -> Any:
        log = read_log(path)
        assert isinstance(log.last_epoch, int), log.last_epoch
        # A score may be NaN, as that of a run that diverged.
        return bool(log.metrics), sorted(log.validations)

    return lines_subject(path, [log_lines(), [{'PCKh/Mean': 88.5}]], read)


def _curve(folder: Path) -> Subject:
    path = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    record = dict(samples=400, steps=40, epochs=2)

    def read() -> Any:
        curve = read_curve(folder, record, 'PCKh/Mean')
        # The losses and scores of a run that diverged may be NaN.
        return [samples for points in curve[:2] for samples, _ in points]

    return lines_subject(path, [log_lines()], read)


def _run_record(folder: Path) -> Subject:
    path = folder / RECORD
    record = dict(
        fingerprint='0' * 64,
        epochs=2,
        steps=40,
        samples=400,
        seconds=dict(storing=0.0, training=1.5),
        scores={'PCKh/Mean': 50.0},
        right=[3, 4, 5],
        annotated=[5, 14, 14],
    )
    plain = dict(record, epochs=None, seconds=None)
    label = 'a'
    plan = StudyPlan({label: Arm(label, 'config.py', label=label)}, (), (0,))

    def read() -> Any:
        found = read_record(folder)
        report = StudyReport(plan, folder, {(label, 0): found})
        row = report.rows[label]
        assert isinstance(report.markdown(), str)
        report.difference(label, label)
        # The scores of a run that diverged may be NaN.
        return row.steps, row.samples, row.seconds

    return json_subject(path, [record, plain], read)


def _journal(folder: Path) -> Subject:
    path = folder / 'people.json.part'
    options = dict(score_thr=0.3, detector='rtmdet', batch_size=2)
    records = [
        dict(name='1.jpg', index=None, width=60, height=40, people=[[1, 2, 3, 4, 0.5]]),
        dict(name='v.mp4', index=3, width=60, height=40, people=[]),
    ]

    def read() -> Any:
        journal = Journal(path, options)
        try:
            return [*restored_records(journal).values()]
        finally:
            journal._file.close()

    return lines_subject(path, [[{'options of the run': options}, *records]], read)


def _stamp(folder: Path) -> Subject:
    root = folder / 'drawn'
    write_dataset(root, num_train=2, num_val=2, seed=0)
    path = next(path for path in root.glob('*.json'))
    stamp = json.loads(path.read_text('utf-8'))

    def read() -> Any:
        write_dataset(root, num_train=2, num_val=2, seed=0)

    return json_subject(path, [stamp], read)._replace(named=root.name)


def _pointer(folder: Path) -> Subject:
    """The file that names the last checkpoint of a run."""
    path = folder / 'last_checkpoint'
    (folder / 'config.py').write_text("model = dict(type='A')\n", encoding='utf-8')
    (folder / '1' / 'vis_data').mkdir(parents=True)
    (folder / '1' / 'vis_data' / 'scalars.json').write_text(
        '{"a": 1}\n', encoding='utf-8'
    )
    torch.save({'meta': {'epoch': 1}}, folder / 'epoch_1.pth')
    text = b'/work/run/epoch_1.pth'

    def read() -> Any:
        named_in(path)
        return read_run([f'run={folder}']).checkpoint.epoch

    def damage(rng: Random) -> bytes:
        if rng.random() < 0.5:
            return str(strange_value(rng)).encode(errors='replace')
        return damaged_bytes(rng, text)

    return Subject(path, [text], damage, read, named=folder.name)


def _config_text(folder: Path) -> Subject:
    """The config that a run dumps, which is searched without being executed."""
    path = folder / 'config.py'
    text = b"load_from = 'a.pth'\nresume = False\nmodel = dict(type='A', b=[1, 2])\n"

    def damage(rng: Random) -> bytes:
        changed = damaged_bytes(rng, text)
        return changed + rng.choice(STRANGE_CONFIGS) if rng.random() < 0.3 else changed

    def read() -> Any:
        return start_of(path.read_bytes().decode(errors='surrogateescape'))

    return Subject(path, [text], damage, read)


TARGETS = {
    'log': Target(_log),
    'curve': Target(_curve),
    'journal': Target(_journal),
    'run_record': Target(_run_record),
    'stamp': Target(_stamp, 15),
    'last_checkpoint': Target(_pointer, 10),
    'config_text': Target(_config_text),
}
