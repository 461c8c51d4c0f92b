"""Reads annotation files in either folder layout and checks their fields."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.mat_check import check_mat

NamePairs = Sequence[tuple[str, str]]

#: Names of the same files and folders in MMPose's documentation and in the reference,
#: relative to the data root.
MPII_TWINS: NamePairs = (
    ('annotations/mpii_train.json', 'annot/train.json'),
    ('annotations/mpii_val.json', 'annot/valid.json'),
    ('annotations/mpii_trainval.json', 'annot/trainval.json'),
    ('annotations/mpii_test.json', 'annot/test.json'),
    ('annotations/mpii_gt_val.mat', 'annot/gt_valid.mat'),
)
COCO_TWINS: NamePairs = (
    ('train2017', 'images/train2017'),
    ('val2017', 'images/val2017'),
)

#: The largest number in a file: products of two are finite in float32, too.
LARGEST = 1e12


def in_either_layout(
    path: str | Path, twins: NamePairs = (*MPII_TWINS, *COCO_TWINS)
) -> str:
    """Returns ``path``, or its name in the other layout if only that one exists."""
    path = Path(path)
    if not path.exists():
        for other in names_in_other_layout(path, twins):
            if other.exists():
                return str(other)
    return str(path)


def names_in_other_layout(
    path: Path, twins: NamePairs = (*MPII_TWINS, *COCO_TWINS)
) -> list[Path]:
    """Lists the names of a file or folder in the other layout, the likeliest first."""
    others = []
    for pair in twins:
        # The longer name first: "images/val2017" ends with "val2017", too.
        for name, other in sorted((pair, pair[::-1]), key=lambda names: -len(names[0])):
            depth = len(Path(name).parts)
            if path.parts[-depth:] == Path(name).parts:
                others.append(Path(*path.parts[:-depth], other))
    return others


def read_mat(path: str | Path, what: str, names: Iterable[str]) -> dict[str, Any]:
    """Reads the variables ``names`` of a MATLAB file (version 5 to 7).

    Such files hold no code. Errors say that the file should hold ``what``.
    """
    names = list(names)
    if not Path(path).is_file():
        reason = 'is not a file' if Path(path).exists() else 'does not exist'
        raise UserError(f'"{path}" {reason}: expected {what}')
    try:
        file = Path(path).read_bytes()
        check_mat(file)
        content = loadmat(io.BytesIO(file), variable_names=names)
    except Exception as error:  # SciPy raises many types, some of its own
        raise UserError(
            f'"{path}" cannot be read as a MATLAB file ({error}): expected {what}'
        ) from error
    missing = [name for name in names if name not in content]
    if missing:
        raise UserError(f'"{path}" has no `{missing[0]}`: expected {what}')
    return {name: content[name] for name in names}


def as_numbers(
    value: Any, shape: tuple[int, ...], finite: bool = True
) -> np.ndarray | None:
    """Converts a JSON value to float64, or returns None.

    None means that the value is not made of numbers, has another shape, or, by default,
    has numbers that are not finite or beyond :data:`LARGEST`.
    """
    try:
        numbers = np.array(value)
    except (ValueError, OverflowError):
        return None
    # Checked because a conversion would accept text such as "3".
    if numbers.shape != shape or numbers.dtype.kind not in 'biuf':
        return None
    numbers = numbers.astype(np.float64)
    if finite and not (np.abs(numbers) <= LARGEST).all():
        return None
    return numbers


def read_numbers(
    records: Sequence[dict],
    names: Sequence[str],
    field: str,
    shape: tuple[int, ...] = (),
    expected: str = 'a finite number',
    default: float | None = None,
    finite: bool = True,
) -> np.ndarray:
    """Reads a numeric field of all records, (n, *shape), or names the first bad one."""
    values = [record.get(field, default) for record in records]
    # All at once, because COCO has hundreds of thousands of records.
    numbers = as_numbers(values, (len(values), *shape), finite)
    if numbers is not None:
        return numbers
    for value, name in zip(values, names, strict=True):
        if as_numbers(value, shape, finite) is None:
            large = as_numbers(value, shape, False) is not None
            limit = f', at most {LARGEST:g}' if large else ''
            raise UserError(
                f'{name} has no valid `{field}`: expected {expected}{limit}'
            )
    return np.array(values, dtype=np.float64).reshape(len(values), *shape)


def read_visibility(flags: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Checks visibility flags (n, k), and replaces -1, which some tools write, by 0."""
    wrong = np.argwhere(~np.isin(flags, (-1, 0, 1, 2)))
    if len(wrong):
        record, keypoint = wrong[0]
        raise UserError(
            f'{names[record]} has a visibility of {flags[record, keypoint]:g} for '
            f'keypoint {keypoint}: expected 0 (not labeled), 1, or 2'
        )
    return np.maximum(flags, 0)


def looks_swapped(points: np.ndarray, center: np.ndarray, size: np.ndarray) -> bool:
    """Checks whether x and y of a person's keypoints (k, 2) are likely swapped.

    That is so if most are outside 1.5 times the box, and all would be inside with x and
    y exchanged. Fewer than three keypoints are not enough to decide.
    """
    if len(points) < 3:
        return False

    def share_inside(candidates: np.ndarray) -> float:
        return (np.abs(candidates - center) <= 0.75 * size).all(axis=1).mean()

    return bool(share_inside(points) < 0.5 and share_inside(points[:, ::-1]) == 1)
