"""The ground truth that MPII is measured against."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .files import read_mat

#: A head is taken as this share of the diagonal of its box.
HEAD_BIAS = 0.6
#: MPII's names of its joints, in the order of their ids.
JOINT_NAMES = (
    'rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
    'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri',
)  # fmt: skip
NUM_JOINTS = len(JOINT_NAMES)
WHAT = "MPII's ground truth (gt_valid.mat or mpii_gt_val.mat)"


class MpiiGroundTruth(NamedTuple):
    """People in the order of the annotation file.

    Attributes:
        keypoints (np.ndarray): 0-based pixels, (N, 16, 2).
        visible (np.ndarray): Whether a joint is annotated, bool, (N, 16).
        head_size (np.ndarray): 0.6 of the head box's diagonal in pixels, (N,).
    """

    keypoints: np.ndarray
    visible: np.ndarray
    head_size: np.ndarray


def read_head_sizes(path: str | Path) -> np.ndarray:
    """Reads ``headboxes_src``.

    Args:
        path (str | Path): A ``.mat`` file, for example ``gt_valid.mat``.

    Returns:
        np.ndarray: Head sizes in pixels, (N,).

    Raises:
        ValueError: If the file is not MPII's, or a head has no length.
    """
    boxes = read_mat(path, WHAT, ['headboxes_src'])['headboxes_src']
    if boxes.ndim != 3 or boxes.shape[:2] != (2, 2) or boxes.dtype.kind not in 'fiu':
        raise ValueError(
            f'"{path}" has `headboxes_src` of shape {boxes.shape}: expected (2, 2, '
            'people)'
        )
    sizes = HEAD_BIAS * np.linalg.norm(boxes[1].astype(float) - boxes[0], axis=0)
    wrong = np.flatnonzero(~(np.isfinite(sizes) & (sizes > 0)))
    if len(wrong):
        raise ValueError(
            f'the head box of record {wrong[0]} of "{path}" has no length (of '
            f'{len(wrong)} such): PCKh divides by it, correct the box'
        )
    return sizes


def read_predictions(path: str | Path, num_people: int) -> np.ndarray:
    """Reads predictions for the people of a ground truth.

    Args:
        path (str | Path): An ``.npz`` file with ``preds``, 0-based pixels, (N, 16, 2).
        num_people (int): N.

    Returns:
        np.ndarray: ``preds``.

    Raises:
        ValueError: If the file is missing or holds anything else. Nothing is
            unpickled.
    """
    shape = (num_people, NUM_JOINTS, 2)
    what = f'an .npz file with finite `preds` of shape {shape}'
    try:
        with np.load(path) as content:
            predictions = content['preds']
    except FileNotFoundError as error:
        raise ValueError(f'"{path}" does not exist: expected {what}') from error
    except Exception as error:  # of many types, zipfile's own among them
        raise ValueError(
            f'"{path}" cannot be read ({error}): expected {what}'
        ) from error
    if predictions.shape != shape or predictions.dtype.kind not in 'fiu':
        raise ValueError(
            f'"{path}" has `preds` of shape {predictions.shape}: expected {what}'
        )
    if not np.isfinite(predictions).all():
        raise ValueError(f'"{path}" has numbers that are not finite: expected {what}')
    return predictions


def read_mpii_ground_truth(path: str | Path) -> MpiiGroundTruth:
    """Reads ``gt_valid.mat``.

    Args:
        path (str | Path): The file, with ``pos_gt_src`` (16, 2, N) in 1-based
            pixels, ``jnt_missing`` (16, N) and ``headboxes_src`` (2, 2, N).

    Returns:
        MpiiGroundTruth: The people.

    Raises:
        ValueError: If the file is not MPII's.
    """
    head_size = read_head_sizes(path)
    fields = read_mat(path, WHAT, ['pos_gt_src', 'jnt_missing'])
    people = len(head_size)
    shapes = {
        'pos_gt_src': (NUM_JOINTS, 2, people),
        'jnt_missing': (NUM_JOINTS, people),
    }
    for name, shape in shapes.items():
        if fields[name].shape != shape:
            raise ValueError(
                f'"{path}" has `{name}` of shape {fields[name].shape}: expected {shape}'
            )
    keypoints = fields['pos_gt_src'].astype(np.float64).transpose(2, 0, 1) - 1
    visible = fields['jnt_missing'].T == 0
    wrong = np.argwhere(~np.isfinite(keypoints).all(axis=-1) & visible)
    if len(wrong):
        raise ValueError(
            f'joint {wrong[0, 1]} of record {wrong[0, 0]} of "{path}" is not a finite '
            'number: correct the file'
        )
    return MpiiGroundTruth(keypoints, visible, head_size)
