"""Pictures and boxes that people bring, looked at before they are used."""

from pathlib import Path

import cv2
import numpy as np


def read_image(path: str | Path) -> np.ndarray:
    """Reads a picture, rotated as its EXIF data say.

    Args:
        path (str | Path): Of the picture.

    Returns:
        np.ndarray: BGR, uint8 (H, W, 3).

    Raises:
        ValueError: If it cannot be read. One line.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f'"{path}" cannot be read: {error.strerror}') from error
    image = None
    if content:
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
    if image is None or not image.size:
        what = 'is empty' if not content else 'is no picture that OpenCV can read'
        raise ValueError(f'"{path}" {what}: give a JPEG or PNG file')
    return image


def check_image(image: np.ndarray, name: str = 'the image') -> np.ndarray:
    """Refuses what is no picture.

    Args:
        image (np.ndarray): Supposed to be uint8 (H, W, 3).
        name (str): For the message.

    Returns:
        np.ndarray: The same.

    Raises:
        ValueError: If it is something else. One line.
    """
    shape = getattr(image, 'shape', None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or image.dtype != np.uint8:
        what = type(image).__name__ if shape is None else f'{image.dtype} {shape}'
        raise ValueError(f'{name} must be uint8 of shape (H, W, 3), it is {what}')
    if not image.size:
        raise ValueError(f'{name} has no pixels: its shape is {shape}')
    return image


def check_boxes(boxes: np.ndarray | list | None, shape: tuple[int, ...]) -> np.ndarray:
    """Refuses boxes that cannot be cropped.

    Args:
        boxes (np.ndarray | list, optional): ``x1, y1, x2, y2`` in pixels, (N, 4). The
            whole image by default.
        shape (tuple[int, ...]): Height and width of the image first.

    Returns:
        np.ndarray: float32 (N, 4); N may be 0.

    Raises:
        ValueError: If a box is not finite, has no area, or lies outside of the image.
            One line that gives its number and its coordinates.
    """
    height, width = shape[:2]
    if boxes is None:
        return np.array([[0, 0, width, height]], np.float32)
    try:
        found = np.asarray(boxes, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f'boxes must be numbers x1, y1, x2, y2: {error}') from error
    if not found.size:
        return np.zeros((0, 4), np.float32)
    if found.ndim != 2 or found.shape[1] != 4:
        raise ValueError(
            f'boxes must be x1, y1, x2, y2, shape (N, 4); their shape is {found.shape}'
        )
    for number, (x1, y1, x2, y2) in enumerate(found.tolist()):
        where = f'box {number} ({x1:g}, {y1:g}, {x2:g}, {y2:g})'
        if not np.isfinite((x1, y1, x2, y2)).all():
            raise ValueError(f'{where} is not finite')
        if x2 <= x1 or y2 <= y1:
            raise ValueError(f'{where} has no area: give x1, y1, x2, y2 in pixels')
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            raise ValueError(
                f'{where} lies outside of the image of {width}x{height} pixels'
            )
    return found
