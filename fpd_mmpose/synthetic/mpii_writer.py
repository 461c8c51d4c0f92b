"""Writes drawn people as a dataset in MMPose's MPII layout."""

import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import savemat
from tqdm import tqdm

from fpd_mmpose.datasets.datasets.body.fpd_mpii_dataset import CENTER_SHIFT
from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.mpii_ground_truth import JOINT_NAMES
from fpd_mmpose.synthetic.scene import MIN_SIZE, SPLITS, PersonSample, draw_person

#: Raised whenever the same seed begins to give other images or files.
FORMAT_VERSION = 1

# MPII's readers take an image's number from its name, which must be digits.
_FIRST_NUMBER = {'train': 0, 'val': 100_000_000}
_JPEG_QUALITY = 92
_CHUNK = 16
_STAMP = 'dataset.json'
_ANNOTATIONS = (
    'annotations/mpii_gt_val.mat',
    'annotations/mpii_val.json',
    'annotations/mpii_train.json',
)


def write_dataset(
    root: str | os.PathLike,
    num_train: int = 1200,
    num_val: int = 200,
    seed: int = 0,
    size: int = 200,
    num_workers: int = 1,
) -> bool:
    """Draws people in images of ``size`` pixels, or returns False if they are there.

    ``root`` gets ``images``, ``annotations``, and the stamp ``dataset.json``, which
    replace a drawn dataset of other arguments once all people are drawn. The files are
    the same for any number of processes.
    """
    for name, value, least in (
        ('num_train', num_train, 1),
        ('num_val', num_val, 1),
        ('seed', seed, 0),
        ('size', size, MIN_SIZE),
        ('num_workers', num_workers, 1),
    ):
        if value < least:
            raise UserError(f'`{name}` must be {least} or more, got {value}')
    root = Path(root)
    stamp = {
        'format_version': FORMAT_VERSION,
        'seed': seed,
        'size': size,
        'num_train': num_train,
        'num_val': num_val,
        'complete': True,
    }
    if _is_complete(root, stamp):
        print(f'{root}: reused {num_train} + {num_val} drawn people')
        return False
    _check_replaceable(root)
    root.mkdir(parents=True, exist_ok=True)
    for abandoned in root.glob('.drawing-*'):
        shutil.rmtree(abandoned)
    print(f'{root}: drawing {num_train} + {num_val} people', flush=True)
    staging = Path(tempfile.mkdtemp(prefix='.drawing-', dir=root))
    try:
        (staging / 'images').mkdir()
        (staging / 'annotations').mkdir()
        _draw_all(staging, stamp, num_workers)
        _move_into_place(staging, root, stamp)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return True


def mpii_annotation(sample: PersonSample, image: str) -> dict[str, Any]:
    """Makes an entry of MPII's JSON files, whose coordinates are 1-based."""
    # Readers move the center down by this much.
    center = sample.center + 1 - (0, CENTER_SHIFT * sample.scale)
    joints = np.where(sample.visible[:, None], sample.joints + 1, -1)
    return {
        'image': image,
        'center': np.round(center, 3).tolist(),
        'scale': round(sample.scale, 5),
        'joints': np.round(joints, 3).tolist(),
        'joints_vis': sample.visible.astype(int).tolist(),
    }


def image_name(split: str, index: int) -> str:
    """Returns the file name of a person's image: nine digits, as in MPII."""
    return f'{_FIRST_NUMBER[split] + index:09d}.jpg'


def _read_stamp(root: Path) -> dict | None:
    """Returns the stamp of a drawn dataset, or None in any other folder."""
    try:
        stamp = json.loads((root / _STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and 'format_version' in stamp else None


def _is_complete(root: Path, stamp: dict) -> bool:
    """Whether the folder holds all files of the dataset that the stamp describes."""
    if _read_stamp(root) != stamp:
        return False
    names = {
        image_name(split, index)
        for split in SPLITS
        for index in range(stamp[f'num_{split}'])
    }
    images = root / 'images'
    there = set(os.listdir(images)) if images.is_dir() else set()
    return names <= there and all((root / path).is_file() for path in _ANNOTATIONS)


def _check_replaceable(root: Path) -> None:
    """Raises an error rather than let files that were not drawn be replaced."""
    if root.exists() and not root.is_dir():
        raise UserError(f'"{root}" is a file: choose a folder for the dataset')
    if _read_stamp(root) is not None:
        return
    for name in ('images', 'annotations'):
        if (root / name).is_file() or any((root / name).glob('*')):
            raise UserError(
                f'"{root}" holds {name} that were not drawn: choose another folder'
            )


def _draw_all(staging: Path, stamp: dict, num_workers: int) -> None:
    """Draws every person, and writes images and annotations under ``staging``."""
    jobs = [
        (
            staging / 'images',
            stamp['seed'],
            split,
            indices[i : i + _CHUNK],
            stamp['size'],
        )
        for split in SPLITS
        for indices in [range(stamp[f'num_{split}'])]
        for i in indices[::_CHUNK]
    ]
    entries: dict[str, list[dict]] = {split: [] for split in SPLITS}
    head_boxes = []
    total = stamp['num_train'] + stamp['num_val']
    # tqdm draws no bar where stderr is not a terminal: disable=None.
    with tqdm(total=total, desc='drawing people', unit='', disable=None) as bar:
        for job, people in zip(jobs, _map(_draw_chunk, jobs, num_workers), strict=True):
            split = job[2]
            for entry, head_box in people:
                entries[split].append(entry)
                if split == 'val':
                    head_boxes.append(head_box)
            bar.update(len(people))
    for split, listed in entries.items():
        path = staging / 'annotations' / f'mpii_{split}.json'
        path.write_text(json.dumps(listed))
    _write_mat(staging / 'annotations/mpii_gt_val.mat', entries['val'], head_boxes)


def _map(function: Callable, jobs: list, num_workers: int) -> Iterator:
    """Yields the results of the jobs in their order, from several processes."""
    if num_workers == 1:
        yield from map(function, jobs)
        return
    # Not forked: children of a process in which torch or OpenCV runs threads may hang.
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(
        num_workers, context, initializer=cv2.setNumThreads, initargs=(1,)
    )
    try:
        yield from pool.map(function, jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def _draw_chunk(job: tuple[Path, int, str, range, int]) -> list[tuple[dict, list]]:
    """Writes the images of some people, and returns annotations and head boxes."""
    folder, seed, split, indices, size = job
    people = []
    for index in indices:
        sample = draw_person(seed, split, index, size)
        name = image_name(split, index)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        _, jpeg = cv2.imencode('.jpg', sample.image, quality)
        (folder / name).write_bytes(jpeg.tobytes())
        people.append((mpii_annotation(sample, name), (sample.head_box + 1).tolist()))
    return people


def _write_mat(path: Path, entries: list[dict], head_boxes: list) -> None:
    """Writes the ground truth that MPII's evaluation reads."""
    visible = np.array([entry['joints_vis'] for entry in entries])
    joints = np.array([entry['joints'] for entry in entries])
    names = np.empty((1, len(JOINT_NAMES)), object)
    names[0] = JOINT_NAMES
    savemat(
        path,
        {
            'headboxes_src': np.array(head_boxes).transpose(1, 2, 0),
            'jnt_missing': (1 - visible.T).astype(np.uint8),
            'pos_gt_src': joints.transpose(1, 2, 0),
            'dataset_joints': names,
        },
    )


def _move_into_place(staging: Path, root: Path, stamp: dict) -> None:
    """Replaces a dataset, at no time leaving annotations without their images."""
    # Until the last line, the stamp marks the folder as drawn but unfinished.
    _write_stamp(staging, root, {**stamp, 'complete': False})
    for path in _ANNOTATIONS:
        (root / path).unlink(missing_ok=True)
    if (root / 'images').exists():
        os.replace(root / 'images', staging / 'replaced')
    os.replace(staging / 'images', root / 'images')
    (root / 'annotations').mkdir(exist_ok=True)
    for path in _ANNOTATIONS:
        os.replace(staging / path, root / path)
    _write_stamp(staging, root, stamp)


def _write_stamp(staging: Path, root: Path, stamp: dict) -> None:
    (staging / _STAMP).write_text(json.dumps(stamp, indent=1) + '\n')
    os.replace(staging / _STAMP, root / _STAMP)
