"""Reads, checks, and writes images, and checks boxes."""

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_bytes
from fpd_mmpose.media_formats import why_undecoded

#: Formats of images that are written.
SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.webp')
#: How far a box may reach, in pixels: the longest side of an image that OpenCV reads.
FURTHEST = 1 << 20
_NO_IMAGE = 'is not an image that OpenCV can read: use a JPEG or PNG file'


def read_image(path: str | Path) -> np.ndarray:
    """Reads an image in its EXIF orientation as uint8 BGR, (H, W, 3)."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'"{path}" cannot be read: {error.strerror}') from error
    if not content:
        raise UserError(f'"{path}" is empty: use a JPEG or PNG file')
    image = reason = None
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        reason = why_undecoded(path, error)
    if image is None or not image.size:
        reason = reason or why_undecoded(path) or _NO_IMAGE
        raise UserError(f'"{path}" {reason}')
    return image


def data_url(image: np.ndarray, jpeg_quality: int = 95) -> str:
    """Encodes a uint8 BGR image as the address of a JPEG image for web pages."""
    content = encode_image(image, '.jpg', jpeg_quality)
    return f'data:image/jpeg;base64,{base64.b64encode(content).decode()}'


def encode_image(image: np.ndarray, suffix: str, jpeg_quality: int = 95) -> bytes:
    """Encodes a uint8 BGR image in the format of a suffix."""
    options = (cv2.IMWRITE_JPEG_QUALITY, jpeg_quality)  # other formats ignore it
    try:
        done, content = cv2.imencode(suffix, image, options)
    except cv2.error:
        done = False
    if not done:
        height, width = image.shape[:2]
        raise UserError(
            f'an image of {width}x{height} pixels cannot be written as {suffix}'
        )
    return content.tobytes()


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Writes a uint8 BGR image atomically."""
    path = check_suffix(path, SUFFIXES, 'an image')
    write_bytes(path, encode_image(image, path.suffix.lower()))


def check_suffix(path: str | Path, suffixes: Iterable[str], kind: str) -> Path:
    """Returns the path of an output unless its suffix is not in ``suffixes``."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise UserError(f'"{path}" must end in {", ".join(suffixes)} to hold {kind}')
    return path


def check_image(image: np.ndarray) -> np.ndarray:
    """Returns an image unless it is not uint8 (H, W, 3)."""
    shape = getattr(image, 'shape', None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or image.dtype != np.uint8:
        found = type(image).__name__ if shape is None else f'{image.dtype} {shape}'
        raise UserError(f'the image must be uint8 of shape (H, W, 3), got {found}')
    if not image.size:
        raise UserError(f'the image has no pixels: its shape is {shape}')
    return image


def check_boxes(boxes: np.ndarray | list | None, shape: tuple[int, ...]) -> np.ndarray:
    """Returns boxes as float32 (N, 4), the whole image by default.

    Boxes are x1, y1, x2, y2 in pixels; they must overlap the image, whose ``shape``
    starts with height and width.
    """
    height, width = shape[:2]
    if boxes is None:
        return np.array([[0, 0, width, height]], np.float32)
    try:
        found = np.asarray(boxes, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f'boxes must be numbers x1, y1, x2, y2: {error}') from error
    if not found.size:
        return np.zeros((0, 4), np.float32)
    if found.ndim != 2 or found.shape[1] != 4:
        raise UserError(
            f'boxes must be x1, y1, x2, y2 of shape (N, 4), got shape {found.shape}'
        )
    for number, (x1, y1, x2, y2) in enumerate(found.tolist()):
        box = f'box {number} ({x1:g}, {y1:g}, {x2:g}, {y2:g})'
        if not np.isfinite((x1, y1, x2, y2)).all():
            raise UserError(f'{box} is not finite')
        if max(abs(x1), abs(y1), abs(x2), abs(y2)) > FURTHEST:
            raise UserError(f'{box} reaches further than {FURTHEST:,} pixels')
        if x2 <= x1 or y2 <= y1:
            raise UserError(f'{box} has no area: give x1, y1, x2, y2 in pixels')
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            raise UserError(f'{box} is outside of the image of {width}x{height} pixels')
    return found
