"""MATLAB files: MPII's and predictions."""

import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from fpd_mmpose.readers.mpii_ground_truth import (
    read_head_sizes,
    read_mpii_ground_truth,
)
from fpd_mmpose.studies.run_record import PREDICTIONS, read_predictions
from fuzzing.mutations import damaged_bytes
from fuzzing.subjects import Subject, Target, bytes_subject
from mpii_mat import read_mpii_mat
from tests.helpers import mpii_mat_data as mat_data


def _strange_array(rng: Random, array: np.ndarray) -> Any:
    """Changes the values, the type, or the shape of an array."""
    array = np.array(array)
    kind = rng.randrange(9)
    if kind == 0:
        return array.astype(rng.choice(['f4', 'i1', 'u8', 'c16', 'b1', 'U3', 'O']))
    if kind == 1:
        return array[..., : rng.randrange(array.shape[-1] + 1)]
    if kind == 2:
        return array.T
    if kind == 3:
        return array.ravel()
    if kind == 4:
        return np.zeros((0, 0))
    if kind == 5:
        return rng.choice(['text', {'a': 1}, 3.0, [None, 'x'], [[1, 2], [3]]])
    if array.size and array.dtype.kind == 'f':
        values = (np.nan, np.inf, -1.0, 1e300, 0.0)
        array.ravel()[rng.randrange(array.size)] = rng.choice(values)
    return array


def _mat_subject(
    path: Path, contents: dict[str, np.ndarray], read: Callable[[], Any]
) -> Subject:
    def written(arrays: dict, **options: Any) -> bytes:
        buffer = io.BytesIO()
        savemat(buffer, arrays, **options)
        return buffer.getvalue()

    valid = [
        written(contents),
        written(contents, do_compression=True),
    ]

    def damage(rng: Random) -> bytes:
        if rng.random() < 0.5:
            return damaged_bytes(rng, rng.choice(valid))
        arrays = dict(contents)
        name = rng.choice([*arrays])
        arrays[name] = _strange_array(rng, arrays[name])
        if rng.random() < 0.1:
            del arrays[name]
        try:
            return written(arrays, do_compression=rng.random() < 0.5)
        except Exception:  # SciPy cannot write everything
            return damaged_bytes(rng, valid[0])

    return Subject(path, valid, damage, read)


def _ground_truth(folder: Path) -> Subject:
    rng = np.random.default_rng(0)
    contents = {
        'pos_gt_src': rng.random((16, 2, 4)) * 100,
        'jnt_missing': np.zeros((16, 4), np.uint8),
        'headboxes_src': rng.random((2, 2, 4)) * 50,
    }
    path = folder / 'gt_valid.mat'

    def read() -> Any:
        truth = read_mpii_ground_truth(path)
        return read_head_sizes(path), truth.keypoints[truth.visible], truth.head_size

    return _mat_subject(path, contents, read)


def _predictions(folder: Path) -> Subject:
    contents = {'preds': np.random.default_rng(0).random((3, 16, 2)) * 100}
    return _mat_subject(
        folder / PREDICTIONS, contents, lambda: read_predictions(folder, 3)
    )


def _release(folder: Path) -> Subject:
    path = folder / 'release.mat'
    joints = {joint: (10 + joint, 20.5) for joint in range(16)}
    valid = []
    for single in (np.array([[1]]), mat_data.EMPTY):
        people = [mat_data.person(joints), mat_data.person(joints, scale=2)]
        images = [mat_data.image(f'{n}.jpg', people, n % 2, single) for n in range(3)]
        mat_data.write_release(path, images)
        valid.append(path.read_bytes())
    opened = io.BytesIO()
    savemat(opened, {'RELEASE': loadmat(path)['RELEASE']})
    valid.append(opened.getvalue())

    def read() -> Any:
        found = read_mpii_mat(path)
        return [
            [person.center, person.scale, person.joints[person.labeled]]
            for person in found.people
        ]

    return bytes_subject(path, valid, read)


TARGETS = {
    'mpii_ground_truth': Target(_ground_truth, 2),
    'predictions': Target(_predictions, 2),
    'mpii_release': Target(_release, 4),
}
