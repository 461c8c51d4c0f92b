"""Teacher caches."""

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

from fpd_mmpose.teachers import stored
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore, PersonKey, StoredPerson
from fpd_mmpose.teachers.output_format import heatmap_format
from fuzzing.mutations import damaged_bytes, damaged_json, strange_value
from fuzzing.subjects import Subject, Target

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
        path.unlink(missing_ok=True)  # a reader that failed may still lock it
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


TARGETS = {'teacher_cache': Target(_teacher_cache, 10)}
