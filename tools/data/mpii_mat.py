"""Reads people from MPII's original annotation file, a MATLAB struct."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import read_mat
from fpd_mmpose.readers.mpii_ground_truth import NUM_JOINTS

WHAT = "MPII's annotations (mpii_human_pose_v1_u12_1.mat)"


class MpiiPerson(NamedTuple):
    """A person as annotated, in 1-based pixels that are not rounded.

    ``single`` says whether ``single_person`` lists the person, who is then sufficiently
    separated from others. ``scale`` is the height in units of 200 pixels. Joints by id
    (16, 2) and two opposite corners of the head box (2, 2) are NaN where not annotated.
    """

    image: str
    train: bool
    single: bool
    center: np.ndarray
    scale: float
    joints: np.ndarray
    head_box: np.ndarray

    @property
    def labeled(self) -> np.ndarray:
        """Which joints are annotated, visible and occluded ones alike, (16,)."""
        return ~np.isnan(self.joints[:, 0])


class MpiiRelease(NamedTuple):
    """The content of the file, with the numbers of people left out by reason.

    ``images`` says of each image, by name, whether it is for training.
    """

    images: dict[str, bool]
    people: list[MpiiPerson]
    left_out: Counter[str]


def read_mpii_mat(path: str | Path) -> MpiiRelease:
    """Reads the struct ``RELEASE`` of ``mpii_human_pose_v1_u12_1.mat``.

    ``is_visible`` is ignored: it is missing, empty, a number, or text, and the
    annotations in common use only distinguish annotated joints from others.
    """
    release = np.ravel(read_mat(path, WHAT, ['RELEASE'])['RELEASE'])
    fields = [
        _items(release[0], name) if len(release) == 1 else []
        for name in ('annolist', 'img_train', 'single_person')
    ]
    if len({len(field) for field in fields}) != 1 or not len(fields[0]):
        raise UserError(
            f'"{path}" has a `RELEASE` without annolist, img_train, and single_person '
            f'of the same length: expected {WHAT}'
        )
    images: dict[str, bool] = {}
    people, left_out = [], Counter[str]()
    # disable=None hides the bar where stderr is not a terminal.
    listed = tqdm(zip(*fields, strict=True), 'reading', len(fields[0]), disable=None)
    for number, (annotation, train, single) in enumerate(listed, 1):
        where = f'"{path}": image {number}'
        try:
            name, train = _name(annotation), bool(train)
            where += f' "{name}"'
            if images.setdefault(name, train) != train:
                raise UserError('is listed twice, for training and for testing')
            for person, annorect in enumerate(_items(annotation, 'annorect'), 1):
                where = f'"{path}": person {person} of image {number} "{name}"'
                place = _place(annorect)
                if place is None:
                    left_out['without center or scale'] += 1
                    continue
                people.append(
                    MpiiPerson(
                        name,
                        train,
                        person in np.ravel(single),
                        *place,
                        _joints(annorect),
                        _head_box(annorect),
                    )
                )
        except UserError as error:
            raise UserError(f'{where} {error}: correct the file') from error
    return MpiiRelease(images, people, left_out)


def _items(struct: Any, name: str) -> np.ndarray | list:
    """Lists the elements of a field, which may be empty or absent."""
    known = struct.dtype.names if isinstance(struct, np.void | np.ndarray) else None
    return np.ravel(struct[name]) if name in (known or ()) else []


def _number(struct: np.void, name: str) -> float:
    """Reads a field with one number; NaN if it is empty or absent."""
    values = _items(struct, name)
    if not len(values):
        return np.nan
    try:
        number = float(values[0])
    except (TypeError, ValueError):
        number = np.nan
    if len(values) > 1 or not np.isfinite(number):
        raise UserError(f'has a `{name}` that is not one finite number')
    return number


def _name(annotation: np.void) -> str:
    for image in _items(annotation, 'image'):
        for name in _items(image, 'name'):
            if isinstance(name, str) and name:
                return str(name)
    raise UserError('has no name')


def _place(annorect: np.void) -> tuple[np.ndarray, float] | None:
    scale = _number(annorect, 'scale')
    for objpos in _items(annorect, 'objpos'):
        center = np.array([_number(objpos, 'x'), _number(objpos, 'y')])
        if scale > 0 and not np.isnan(center).any():
            return center, scale
    return None


def _joints(annorect: np.void) -> np.ndarray:
    joints = np.full((NUM_JOINTS, 2), np.nan)
    for annopoints in _items(annorect, 'annopoints'):
        for point in _items(annopoints, 'point'):
            joint, x, y = (_number(point, name) for name in ('id', 'x', 'y'))
            if np.isnan([joint, x, y]).any():
                raise UserError('has a point without id, x, or y')
            if joint not in range(NUM_JOINTS):
                raise UserError(
                    f'has a point with id {joint:g}, not one of 0 to {NUM_JOINTS - 1}'
                )
            if not np.isnan(joints[int(joint), 0]):
                raise UserError(f'has two points with id {joint:g}')
            joints[int(joint)] = x, y
    return joints


def _head_box(annorect: np.void) -> np.ndarray:
    corners = [_number(annorect, name) for name in ('x1', 'y1', 'x2', 'y2')]
    return np.array(corners).reshape(2, 2)
