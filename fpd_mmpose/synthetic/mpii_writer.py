"""Writes drawn people as a dataset in MMPose's MPII layout."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat
from tqdm import tqdm

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_json
from fpd_mmpose.geometry import CENTER_SHIFT
from fpd_mmpose.inputs import encode_image
from fpd_mmpose.readers.mpii_ground_truth import JOINT_NAMES
from fpd_mmpose.readers.text import parse_json
from fpd_mmpose.synthetic.scene import MIN_SIZE, SPLITS, PersonSample, draw_person

#: Raised whenever the same seed begins to give other images or files.
FORMAT_VERSION = 1

# MPII's readers take an image's number from its name, which must be digits.
_FIRST_NUMBER = {'train': 0, 'val': 100_000_000}
_JPEG_QUALITY = 92
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
) -> bool:
    """Draws people in images of ``size`` pixels, or returns False if they are there.

    ``root`` gets ``images``, ``annotations``, and the stamp ``dataset.json``. A drawn
    dataset of other arguments is replaced; there are no annotations without images
    while that takes.
    """
    for name, value, least in (
        ('num_train', num_train, 1),
        ('num_val', num_val, 1),
        ('seed', seed, 0),
        ('size', size, MIN_SIZE),
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
    print(f'{root}: drawing {num_train} + {num_val} people', flush=True)
    # Until the last line, the stamp marks the folder as drawn but unfinished.
    write_json(root / _STAMP, {**stamp, 'complete': False}, indent=1)
    for path in _ANNOTATIONS:
        (root / path).unlink(missing_ok=True)
    shutil.rmtree(root / 'images', ignore_errors=True)
    _draw_all(root, stamp)
    write_json(root / _STAMP, stamp, indent=1)
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
        stamp = parse_json((root / _STAMP).read_bytes())
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


def _draw_all(root: Path, stamp: dict) -> None:
    """Draws every person, and writes first the images and then the annotations."""
    for folder in ('images', 'annotations'):
        (root / folder).mkdir(exist_ok=True)
    entries: dict[str, list[dict]] = {split: [] for split in SPLITS}
    head_boxes = []
    people = [
        (split, index) for split in SPLITS for index in range(stamp[f'num_{split}'])
    ]
    # tqdm draws no bar where stderr is not a terminal: disable=None.
    for split, index in tqdm(people, 'drawing people', unit='', disable=None):
        sample = draw_person(stamp['seed'], split, index, stamp['size'])
        name = image_name(split, index)
        jpeg = encode_image(sample.image, '.jpg', _JPEG_QUALITY)
        (root / 'images' / name).write_bytes(jpeg)
        entries[split].append(mpii_annotation(sample, name))
        if split == 'val':
            head_boxes.append((sample.head_box + 1).tolist())
    _write_mat(root / 'annotations/mpii_gt_val.mat', entries['val'], head_boxes)
    for split, listed in entries.items():
        path = root / 'annotations' / f'mpii_{split}.json'
        path.write_text(json.dumps(listed), encoding='utf-8')


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
