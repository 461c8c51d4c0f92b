"""Reads the people of MPII's own annotation file, a MATLAB struct."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from .files import read_mat
from .mpii_ground_truth import NUM_JOINTS

WHAT = "MPII's annotations (mpii_human_pose_v1_u12_1.mat)"


class MpiiPerson(NamedTuple):
    """A person with a place, as in the file: 1-based pixels, not rounded.

    Attributes:
        image (str): Name of the image.
        train (bool): Whether the image is one of the training images.
        single (bool): Whether the benchmark's ``single_person`` lists the person,
            which stands sufficiently apart from others.
        center (np.ndarray): ``objpos``, (2,).
        scale (float): Height of the person in units of 200 pixels.
        joints (np.ndarray): Joints by their id, (16, 2); NaN where not annotated.
        head_box (np.ndarray): Two opposite corners, (2, 2); NaN where there is none.
    """

    image: str
    train: bool
    single: bool
    center: np.ndarray
    scale: float
    joints: np.ndarray
    head_box: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        """Which joints are annotated, visible ones and occluded ones, (16,)."""
        return ~np.isnan(self.joints[:, 0])


class MpiiRelease(NamedTuple):
    """What the file holds.

    Attributes:
        images (dict[str, bool]): Whether an image, by its name, is for training.
        people (list[MpiiPerson]): In the order of the file.
        left_out (Counter): Numbers of people of the file which are not in
            ``people``, by the reason.
    """

    images: dict[str, bool]
    people: list[MpiiPerson]
    left_out: Counter


def read_mpii_mat(path: str | Path) -> MpiiRelease:
    """Reads the struct ``RELEASE``.

    ``is_visible`` is not read: it is missing, empty, a number or a text, and the
    annotations that everybody trains on tell only annotated joints from others.

    Args:
        path (str | Path): ``mpii_human_pose_v1_u12_1.mat``.

    Returns:
        MpiiRelease: The people and what has been left out.

    Raises:
        ValueError: If the file is not MPII's, or a person cannot be right. One line,
            with the image and the person.
    """
    release = np.ravel(read_mat(path, WHAT, ['RELEASE'])['RELEASE'])
    fields = [
        _items(release[0], name) if len(release) == 1 else []
        for name in ('annolist', 'img_train', 'single_person')
    ]
    if len({len(field) for field in fields}) != 1 or not len(fields[0]):
        raise ValueError(
            f'"{path}" has a `RELEASE` without annolist, img_train and single_person '
            f'of the same length: expected {WHAT}'
        )
    images, people, left_out = {}, [], Counter()
    # tqdm draws no bar where stderr is not a terminal: disable=None.
    listed = tqdm(zip(*fields, strict=True), 'reading', len(fields[0]), disable=None)
    for number, (annotation, train, single) in enumerate(listed, 1):
        where = f'"{path}": image {number}'
        try:
            name, train = _name(annotation), bool(train)
            where += f' "{name}"'
            if images.setdefault(name, train) != train:
                raise ValueError('is listed twice, for training and for testing')
            for person, annorect in enumerate(_items(annotation, 'annorect'), 1):
                where = f'"{path}": person {person} of image {number} "{name}"'
                place = _place(annorect)
                if place is None:
                    left_out['without centre or scale'] += 1
                    continue
                people.append(
                    MpiiPerson(
                        name,
                        train,
                        person in np.ravel(single),
                        *place,
                        _joints(annorect),
                        _head_box(annorect),
                    )  # fmt: skip
                )
        except ValueError as error:
            raise ValueError(f'{where} {error}: correct the file') from error
    return MpiiRelease(images, people, left_out)


def _items(struct: np.void, name: str) -> np.ndarray:
    """Lists the elements of a field, none if it is empty or not there."""
    return np.ravel(struct[name]) if name in (struct.dtype.names or ()) else []


def _number(struct: np.void, name: str) -> float:
    """Reads a field of one number; NaN if it is empty or not there."""
    values = _items(struct, name)
    if not len(values):
        return np.nan
    try:
        number = float(values[0])
    except (TypeError, ValueError):
        number = np.nan
    if len(values) > 1 or not np.isfinite(number):
        raise ValueError(f'has a `{name}` that is not one finite number')
    return number


def _name(annotation: np.void) -> str:
    for image in _items(annotation, 'image'):
        for name in _items(image, 'name'):
            if isinstance(name, str) and name:
                return str(name)
    raise ValueError('has no name')


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
                raise ValueError('has a point without id, x or y')
            if joint not in range(NUM_JOINTS):
                raise ValueError(
                    f'has a point with id {joint:g}, not one of 0 to {NUM_JOINTS - 1}'
                )
            if not np.isnan(joints[int(joint), 0]):
                raise ValueError(f'has two points with id {joint:g}')
            joints[int(joint)] = x, y
    return joints


def _head_box(annorect: np.void) -> np.ndarray:
    corners = [_number(annorect, name) for name in ('x1', 'y1', 'x2', 'y2')]
    return np.array(corners).reshape(2, 2)
