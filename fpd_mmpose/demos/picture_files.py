"""Pictures that appear whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.files import write_bytes

#: Kinds of pictures that are written.
SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.webp')


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """Makes the content of a file.

    Args:
        picture (np.ndarray): BGR, uint8 (H, W, 3).
        suffix (str): One of :data:`SUFFIXES`, which gives the format.

    Returns:
        bytes: The content.

    Raises:
        ValueError: If the format cannot hold the picture. One line.
    """
    try:
        done, content = cv2.imencode(suffix, picture)
    except cv2.error:
        done = False
    if not done:
        height, width = picture.shape[:2]
        raise ValueError(
            f'a picture of {width}x{height} pixels cannot be written as {suffix}'
        )
    return content.tobytes()


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Writes a picture.

    Args:
        path (str | Path): The file, whose suffix is one of :data:`SUFFIXES`.
        picture (np.ndarray): BGR, uint8 (H, W, 3).

    Raises:
        ValueError: If it cannot be written; the path keeps what it had. One line.
    """
    path = check_suffix(path, SUFFIXES, 'picture')
    write_bytes(path, encode_picture(picture, path.suffix.lower()))


def check_suffix(path: str | Path, suffixes: Iterable[str], kind: str) -> Path:
    """Refuses names of files that do not say what they are.

    Args:
        path (str | Path): The file to write.
        suffixes (Iterable[str]): Those that will do, in lower case.
        kind (str): What the file is to be, for the message.

    Returns:
        Path: The same.

    Raises:
        ValueError: If its suffix is none of them. One line.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f'"{path}" must be the name of a {kind}: end it in {", ".join(suffixes)}'
        )
    return path
