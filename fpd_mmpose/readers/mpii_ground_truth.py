"""Reads MPII's ground truth, and predictions for its people."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import read_mat

#: The size of a head, as a share of the diagonal of its box.
HEAD_BIAS = 0.6
#: MPII's names of its joints, by id.
JOINT_NAMES = (
    'rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
    'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri',
)  # fmt: skip
NUM_JOINTS = len(JOINT_NAMES)
WHAT = "MPII's ground truth (gt_valid.mat or mpii_gt_val.mat)"


class MpiiGroundTruth(NamedTuple):
    """People in the order of the annotation file.

    Keypoints (N, 16, 2) are 0-based pixels, ``visible`` (N, 16) says which are
    annotated, and ``head_size`` (N,) is 0.6 times the diagonal of the head box.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    head_size: np.ndarray


def read_head_sizes(path: str | Path) -> np.ndarray:
    """Reads head sizes in pixels, (N,), from ``headboxes_src`` of a ``.mat`` file."""
    boxes = read_mat(path, WHAT, ['headboxes_src'])['headboxes_src']
    if boxes.ndim != 3 or boxes.shape[:2] != (2, 2) or boxes.dtype.kind not in 'fiu':
        raise UserError(
            f'"{path}" has `headboxes_src` of shape {boxes.shape}: expected (2, 2, '
            'people)'
        )
    sizes = HEAD_BIAS * np.linalg.norm(boxes[1].astype(float) - boxes[0], axis=0)
    wrong = np.flatnonzero(~(np.isfinite(sizes) & (sizes > 0)))
    if len(wrong):
        raise UserError(
            f'the head box of record {wrong[0]} of "{path}" has no length ('
            f'{len(wrong)} in total): correct the box, because PCKh divides by its size'
        )
    return sizes


def read_mpii_ground_truth(path: str | Path) -> MpiiGroundTruth:
    """Reads ``gt_valid.mat``.

    It has ``pos_gt_src`` (16, 2, N) in 1-based pixels, ``jnt_missing`` (16, N), and
    ``headboxes_src`` (2, 2, N).
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
            raise UserError(
                f'"{path}" has `{name}` of shape {fields[name].shape}: expected {shape}'
            )
    if (
        fields['pos_gt_src'].dtype.kind not in 'fiu'
        or not np.isin(fields['jnt_missing'], (0, 1)).all()
    ):
        raise UserError(
            f'"{path}" has positions that are not numbers, or `jnt_missing` other than '
            '0 and 1: correct the file'
        )
    keypoints = fields['pos_gt_src'].astype(np.float64).transpose(2, 0, 1) - 1
    visible = fields['jnt_missing'].T == 0
    wrong = np.argwhere(~np.isfinite(keypoints).all(axis=-1) & visible)
    if len(wrong):
        raise UserError(
            f'joint {wrong[0, 1]} of record {wrong[0, 0]} of "{path}" is not a finite '
            'number: correct the file'
        )
    return MpiiGroundTruth(keypoints, visible, head_size)
