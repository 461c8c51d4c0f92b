"""Reads annotation files, in either folder layout, with errors that name the file."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

#: The same files and folders as MMPose's documentation and as the reference name
#: them, relative to the data root.
MPII_TWINS = (
    ('annotations/mpii_train.json', 'annot/train.json'),
    ('annotations/mpii_val.json', 'annot/valid.json'),
    ('annotations/mpii_trainval.json', 'annot/trainval.json'),
    ('annotations/mpii_test.json', 'annot/test.json'),
    ('annotations/mpii_gt_val.mat', 'annot/gt_valid.mat'),
)
COCO_TWINS = (('train2017', 'images/train2017'), ('val2017', 'images/val2017'))


def in_either_layout(path: str | Path, twins: Sequence[tuple[str, str]]) -> str:
    """Finds a file or folder under the name that it has in this data root.

    Args:
        path (str | Path): Where it is in one of the layouts.
        twins (Sequence[tuple[str, str]]): The names in MMPose's layout and in the
            reference's.

    Returns:
        str: ``path``, or its twin if only that one exists.
    """
    path = Path(path)
    if path.exists():
        return str(path)
    for pair in twins:
        # The longer name first: "images/val2017" ends with "val2017" too.
        for name, twin in sorted(
            [pair, pair[::-1]], key=lambda names: len(names[0]), reverse=True
        ):
            depth = len(Path(name).parts)
            if path.parts[-depth:] == Path(name).parts:
                other = Path(*path.parts[:-depth]) / twin
                if other.exists():
                    return str(other)
    return str(path)


def read_json(path: str | Path, what: str) -> Any:
    """Reads a JSON file.

    Args:
        path (str | Path): The file.
        what (str): What it holds, for the error, for example ``'COCO annotations'``.

    Returns:
        Any: The content.

    Raises:
        ValueError: If the file is missing, empty, truncated or not JSON.
    """
    text = _read(path, what)
    if not text.strip():
        raise ValueError(f'"{path}" is empty: expected {what}')
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(
            f'"{path}" is not valid JSON ({error}): is the file truncated? '
            f'Expected {what}'
        ) from error


def read_mat(path: str | Path, what: str, names: Iterable[str]) -> dict[str, Any]:
    """Reads arrays of a MATLAB file (version 4 to 7), which holds no code.

    Args:
        path (str | Path): The file.
        what (str): What it holds, for the error.
        names (Iterable[str]): The variables that it must have; no other is read.

    Returns:
        dict[str, Any]: The variables.

    Raises:
        ValueError: If the file is missing, is not a MATLAB file or lacks a variable.
    """
    names = list(names)
    if not Path(path).is_file():
        reason = 'is not a file' if Path(path).exists() else 'does not exist'
        raise ValueError(f'"{path}" {reason}: expected {what}')
    try:
        content = loadmat(str(path), variable_names=names)
    except Exception as error:  # of many types, scipy's own among them
        raise ValueError(
            f'"{path}" cannot be read as a MATLAB file ({error}): expected {what}'
        ) from error
    missing = [name for name in names if name not in content]
    if missing:
        raise ValueError(f'"{path}" has no `{missing[0]}`: expected {what}')
    return {name: content[name] for name in names}


def as_numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Converts a field of a record, or tells that it is not what it should be.

    Args:
        value (Any): A field of a JSON file.
        shape (tuple[int, ...]): Its shape.

    Returns:
        np.ndarray | None: float64 of that shape; None if the value has another
        shape, or holds anything but finite numbers.
    """
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if numbers.shape != shape or not np.isfinite(numbers).all():
        return None
    return numbers


def looks_swapped(points: np.ndarray, center: np.ndarray, size: np.ndarray) -> bool:
    """Tells whether x and y of a person's keypoints are likely to be swapped.

    Args:
        points (np.ndarray): Annotated keypoints, (k, 2).
        center (np.ndarray): Centre of the person's box, (2,).
        size (np.ndarray): Width and height of the box, (2,).

    Returns:
        bool: True where most keypoints are outside of 1.5 times the box, and all
        would be within it with x and y exchanged. Fewer than three keypoints say
        nothing.
    """
    if len(points) < 3:
        return False

    def share_within(candidates: np.ndarray) -> float:
        return (np.abs(candidates - center) <= 0.75 * size).all(axis=1).mean()

    return bool(share_within(points) < 0.5 and share_within(points[:, ::-1]) == 1)


def _read(path: str | Path, what: str) -> str:
    try:
        return Path(path).read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f'"{path}" is not text: expected {what}') from error
    except OSError as error:
        reason = 'does not exist' if not Path(path).exists() else 'cannot be read'
        raise ValueError(f'"{path}" {reason}: expected {what}') from error
