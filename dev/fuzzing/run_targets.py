"""Teacher caches, and what runs leave in their folders."""

import json
import sqlite3
import zlib
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample

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
from fpd_mmpose.teachers import stored
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore, PersonKey, StoredPerson
from fpd_mmpose.teachers.output_format import heatmap_format
from fuzzing.annotation_targets import json_subject
from fuzzing.harness import Subject, Target
from fuzzing.mutations import damaged_bytes, damaged_json, strange_value

#: Settings of a teacher cache.
SETTINGS: dict[str, Any] = {
    'teacher weights': '0' * 64,
    'teacher config': '1' * 64,
    'image': [{'type': 'FPDLoadImage'}],
    'box': [{'type': 'GetBBoxCenterScale'}],
    'input size': [64, 64],
    'zooms': [1.0, 1.25],
    'flip': False,
    'shape': [2, 16, 16, 16],
    'joints': None,
    'flip_indices': None,
    'sigma': 2.0,
}
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
_COLUMNS = {
    'people': ('image', 'frame', 'box', 'crop', 'step', 'zero', 'maps'),
    'settings': ('name', 'value'),
    'sources': ('key', 'about', 'finished'),
}
_ON_SCHEMA = (
    'DROP TABLE people',
    'DROP TABLE settings',
    'ALTER TABLE people RENAME COLUMN maps TO other',
    'ALTER TABLE people RENAME TO persons',
    'DELETE FROM people',
    'DELETE FROM settings',
    'DROP TABLE people; CREATE VIEW people AS WITH RECURSIVE n(id) AS (SELECT 1 UNION '
    'ALL SELECT id + 1 FROM n) SELECT id, "a" AS image, -1 AS frame, "[]" AS box, "[]" '
    'AS crop, 0.1 AS step, 0 AS zero, "" AS maps FROM n',
    'DROP TABLE people; CREATE TABLE people (id INTEGER PRIMARY KEY, image TEXT, frame '
    'INTEGER, box TEXT, crop TEXT, step REAL, zero INTEGER, maps BLOB GENERATED ALWAYS '
    'AS (zeroblob(900000000)), UNIQUE (image, frame, box)); INSERT INTO people (image, '
    'frame, box, crop, step, zero) VALUES ("0.jpg", -1, "[0.0, 0.0, 40.0, 40.0]", '
    '"[20.0, 20.0, 40.0, 40.0]", 0.01, 0)',
)


def _sql_value(rng: Random, old: Any) -> Any:
    if isinstance(old, bytes) and rng.random() < 0.5:
        return damaged_bytes(rng, old)
    if isinstance(old, str) and rng.random() < 0.6:
        try:
            text = damaged_json(rng, json.loads(old))
        except (ValueError, RecursionError):
            text = damaged_bytes(rng, old.encode())
        return text.decode(errors='replace')
    value = strange_value(rng)
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return float(min(value, 10**300))
    if isinstance(value, str):
        return value.encode(errors='replace').decode()
    return value


def _teacher_cache(folder: Path) -> Subject:
    path = folder / 'teacher.sqlite'
    metainfo = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))
    names = metainfo['keypoint_id2name']
    flips = [int(index) for index in metainfo['flip_indices']]
    named = {
        **SETTINGS,
        'joints': [names[index] for index in range(16)],
        'flip_indices': flips,
    }
    rng = np.random.default_rng(0)
    valid = []
    for settings in (SETTINGS, named):
        store = HeatmapStore(path, write=True)
        store.claim(settings)
        store.add_source('key', dict(name='a', files={}, options={}), True)
        for number in range(2):
            maps = pack_maps(rng.random(settings['shape']).astype(np.float32))
            key = PersonKey(f'{number}.jpg', -1, '[0.0, 0.0, 40.0, 40.0]')
            center, scale = np.full(2, 20.0), np.full(2, 50.0)
            store.add([(key, StoredPerson(center, scale, *maps))])
        store.close()
        valid.append(path.read_bytes())
        path.unlink()
    packer = zlib.compressobj(1)
    bomb = b''.join(packer.compress(bytes(1 << 20)) for _ in range(1200))
    bomb += packer.flush()
    student = SimpleNamespace(metainfo=metainfo)
    samples = []
    for number in range(2):
        sample = PoseDataSample(
            metainfo=dict(
                img_path=f'{number}.jpg',
                warp_mat=np.array([[1.6, 0, 0], [0, 1.6, 0]]),
                ori_shape=(50, 60),
                flip=number == 1,
                flip_direction=None,
            )
        )
        sample.gt_instances = InstanceData(bboxes=np.array([[0.0, 0, 40, 40]]))
        samples.append(sample)

    def damage(rng: Random) -> bytes:
        content = rng.choice(valid)
        if rng.random() < 0.2:
            return damaged_bytes(rng, content)
        path.write_bytes(content)
        connection = sqlite3.connect(path)
        connection.execute('PRAGMA journal_mode = OFF')
        connection.execute('PRAGMA synchronous = OFF')
        with connection:
            if rng.random() < 0.05:
                connection.executescript(rng.choice(_ON_SCHEMA))
            else:
                _change_values(connection, rng, bomb)
        connection.close()
        return path.read_bytes()

    def read() -> Any:
        teacher = stored.StoredTeacher(str(path))
        formats = heatmap_format(16, (64, 64), (16, 16))
        with mock.patch.object(stored, 'describe_student', lambda _: formats):
            teacher.prepare(student)
        teacher._store.sources()
        taught = []
        # Without left and right joints, only the first sample can be served.
        paired = teacher._store.settings.get('flip_indices')
        for sample in samples if paired else samples[:1]:
            found = teacher.finish((torch.zeros(1, 3, 64, 64), [sample]))
            taught.append(found.values)
        teacher._store.close()
        return taught

    return Subject(path, valid, damage, read)


def _change_values(connection: sqlite3.Connection, rng: Random, bomb: bytes) -> None:
    table = rng.choice(['people', 'people', 'settings', 'settings', 'sources'])
    for _ in range(rng.choice((1, 1, 2))):
        column = rng.choice(_COLUMNS[table])
        where, old = rng.choice(
            connection.execute(f'SELECT rowid, {column} FROM {table}').fetchall()
        )
        value = _sql_value(rng, old)
        if column == 'maps' and rng.random() < 0.05:
            value = bomb
        try:
            connection.execute(
                f'UPDATE {table} SET {column} = ? WHERE rowid = ?', (value, where)
            )
        except sqlite3.IntegrityError:  # a key that another row has
            pass


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


def lines_subject(path: Path, examples: list, read: Any) -> Subject:
    """A reader of a JSON value per line."""

    def written(lines: list) -> bytes:
        return b''.join(json.dumps(line).encode() + b'\n' for line in lines)

    def damage(rng: Random) -> bytes:
        lines = rng.choice(examples)
        if rng.random() < 0.2:
            return damaged_bytes(rng, written(lines))
        chosen = rng.randrange(len(lines))
        parts = [json.dumps(line).encode() for line in lines]
        parts[chosen] = damaged_json(rng, lines[chosen])
        if rng.random() < 0.1:
            del parts[rng.randrange(len(parts))]
        return b'\n'.join(parts) + rng.choice((b'\n', b''))

    return Subject(path, [written(lines) for lines in examples], damage, read)


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
    'teacher_cache': Target(_teacher_cache, 10),
    'log': Target(_log),
    'curve': Target(_curve),
    'journal': Target(_journal),
    'run_record': Target(_run_record),
    'stamp': Target(_stamp, 15),
    'last_checkpoint': Target(_pointer, 10),
    'config_text': Target(_config_text),
}
