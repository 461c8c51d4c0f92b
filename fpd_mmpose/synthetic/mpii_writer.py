"""Writing of drawn people as a data set in MMPose's MPII layout."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat
from tqdm import tqdm

from fpd_mmpose.datasets.mpii_ground_truth import JOINT_NAMES

from .scene import MIN_SIZE, PersonSample, draw_person

FORMAT_VERSION = 1
"""Raised with each change of the pictures or files that the same seed gives."""

# MPII's readers take the picture's number from its name, which must be digits.
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
    """Draw people and write them as a data set that MPII's readers read.

    The folder gets ``images/*.jpg``, ``annotations/mpii_train.json``,
    ``annotations/mpii_val.json`` and ``annotations/mpii_gt_val.mat``, and the
    stamp ``dataset.json``. Everything is drawn beside them first and moved into
    place at the end, the annotations after the images. A complete data set with
    the same arguments is kept, one with others is replaced.

    Args:
        root: Folder of the data set; made where it is missing.
        num_train: Number of people for training, 1 or more.
        num_val: Number of people for validation, 1 or more.
        seed: 0 or more. A person depends on it, its split and its number alone.
        size: Side of the square pictures in pixels, 64 or more.
        num_workers: Drawing processes; 1 draws in this one. The files are the
            same for any number.

    Returns:
        True where the data set was drawn, False where it was there already.

    Raises:
        ValueError: If a number is out of range, or the folder holds images or
            annotations that this function did not write.
    """
    for name, value, least in (
        ('num_train', num_train, 1),
        ('num_val', num_val, 1),
        ('seed', seed, 0),
        ('size', size, MIN_SIZE),
        ('num_workers', num_workers, 1),
    ):
        if value < least:
            raise ValueError(f'{name} must be {least} or more, got {value}')
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
        print(f'{root}: {num_train} + {num_val} drawn people are there, reused')
        return False
    _refuse_foreign(root)
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


def mpii_annotation(sample: PersonSample, image: str) -> dict:
    """Give one entry of MPII's JSON files, whose coordinates are 1-based.

    Args:
        sample: The drawn person.
        image: File name of its picture.

    Returns:
        ``image``, ``center``, ``scale``, ``joints`` and ``joints_vis``.
    """
    # Readers move the centre down by 15 * scale.
    center = sample.center + 1 - (0, 15 * sample.scale)
    joints = np.where(sample.visible[:, None], sample.joints + 1, -1)
    return {
        'image': image,
        'center': np.round(center, 3).tolist(),
        'scale': round(sample.scale, 5),
        'joints': np.round(joints, 3).tolist(),
        'joints_vis': sample.visible.astype(int).tolist(),
    }


def image_name(split: str, index: int) -> str:
    """Give the file name of a person's picture.

    Args:
        split: ``'train'`` or ``'val'``.
        index: Number of the person in its split.

    Returns:
        Nine digits and ``.jpg``, as MPII has them.
    """
    return f'{_FIRST_NUMBER[split] + index:09d}.jpg'


def _read_stamp(root: Path) -> dict | None:
    """Give the stamp of a folder, None where it has none of this module's."""
    try:
        stamp = json.loads((root / _STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and 'format_version' in stamp else None


def _is_complete(root: Path, stamp: dict) -> bool:
    """Tell whether the folder holds all files of the data set of a stamp."""
    if _read_stamp(root) != stamp:
        return False
    names = {
        image_name(split, index)
        for split in _FIRST_NUMBER
        for index in range(stamp[f'num_{split}'])
    }
    images = root / 'images'
    there = set(os.listdir(images)) if images.is_dir() else set()
    return names <= there and all((root / path).is_file() for path in _ANNOTATIONS)


def _refuse_foreign(root: Path) -> None:
    """Raise ValueError before files of others, such as MPII's, are replaced."""
    if root.exists() and not root.is_dir():
        raise ValueError(f'{root} is a file: choose a folder for the data set')
    if _read_stamp(root) is not None:
        return
    for name in ('images', 'annotations'):
        if (root / name).is_file() or any((root / name).glob('*')):
            raise ValueError(
                f'{root} holds {name} that were not drawn here: choose another folder'
            )


def _draw_all(staging: Path, stamp: dict, num_workers: int) -> None:
    """Draw every person and write images and annotations under ``staging``."""
    jobs = [
        (str(staging / 'images'), stamp['seed'], split, start, stop, stamp['size'])
        for split in _FIRST_NUMBER
        for count in (stamp[f'num_{split}'],)
        for start in range(0, count, _CHUNK)
        for stop in (min(start + _CHUNK, count),)
    ]
    entries = {split: [] for split in _FIRST_NUMBER}
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
    """Yield the results of the jobs in their order, from several processes."""
    if num_workers == 1:
        yield from map(function, jobs)
        return
    # Not forked: a process in which torch or OpenCV has started threads cannot be
    # forked safely, and its children hang.
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(
        num_workers, context, initializer=cv2.setNumThreads, initargs=(1,)
    )
    try:
        yield from pool.map(function, jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def _draw_chunk(job: tuple[str, int, str, int, int, int]) -> list[tuple[dict, list]]:
    """Draw some people, write their pictures and give their annotations."""
    folder, seed, split, start, stop, size = job
    people = []
    for index in range(start, stop):
        sample = draw_person(seed, split, index, size)
        name = image_name(split, index)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        _, jpeg = cv2.imencode('.jpg', sample.image, quality)
        Path(folder, name).write_bytes(jpeg.tobytes())
        people.append((mpii_annotation(sample, name), (sample.head_box + 1).tolist()))
    return people


def _write_mat(path: Path, entries: list[dict], head_boxes: list) -> None:
    """Write what MPII's evaluation reads beside the JSON file."""
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
    """Replace what is there, so that annotations never lack their images."""
    # From here to the last line the stamp marks the folder as ours and unfinished.
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
