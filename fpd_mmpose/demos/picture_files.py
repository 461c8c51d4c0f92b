"""Pictures that appear whole or not at all."""

from pathlib import Path

import cv2
import numpy as np

from ..atomic import replace_when_done

#: What a demo writes.
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
    content = encode_picture(picture, check_picture_name(path).suffix.lower())
    try:
        with replace_when_done(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise ValueError(f'"{path}" cannot be written: {error.strerror}') from error


def check_picture_name(path: str | Path) -> Path:
    """Refuses names of files that are no pictures.

    Args:
        path (str | Path): The file to write.

    Returns:
        Path: The same.

    Raises:
        ValueError: If its suffix is none of :data:`SUFFIXES`. One line.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f'"{path}" must be the name of a picture: end it in {", ".join(SUFFIXES)}'
        )
    return path
