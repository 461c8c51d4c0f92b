"""Reads the form of the page, which is untrusted."""

from collections.abc import Mapping
from io import SEEK_END
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import MAX_SIDE
from fpd_mmpose.inputs import check_boxes
from fpd_mmpose.readers.media import ORIENTATION

#: The only formats that are decoded. Pillow's other decoders stay out of reach.
FORMATS = ('JPEG', 'PNG')
#: Decoding takes up to 12 bytes per pixel (a progressive CMYK JPEG).
MAX_PIXELS = 40_000_000
SIDES = ('x1', 'y1', 'x2', 'y2')
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Rows that are converted at once.
_ROWS = 64


def read_upload(stream: BinaryIO, name: str) -> np.ndarray:
    """Decodes an untrusted image in its EXIF orientation as uint8 BGR, (H, W, 3).

    Pillow both reads the header and decodes the pixels, so the size that was checked is
    the size that is decoded. A second decoder could find another size in the same file,
    or recognize a format that the check does not know.
    """
    name = name[:100]
    try:
        bounded: Any = _Bounded(stream)
        image = Image.open(bounded, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name) from error
    except Exception as error:  # of many types, depending on the format
        stream.seek(0)
        problem = 'is not a JPEG or PNG image' if stream.read(1) else 'is empty'
        raise UserError(f'"{name}" {problem}: send a JPEG or PNG file') from error
    with image:
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
            raise _too_large(name)
        try:
            image.load()
            transposition = _TRANSPOSITIONS.get(_orientation(image))
            if transposition is None:
                return _to_bgr(image)
            return _to_bgr(image.transpose(transposition))
        except Exception as error:
            raise UserError(f'"{name}" is damaged: send another file') from error


class _Bounded:
    """A stream that is not asked for more than it has.

    A chunk may claim gigabytes, and a file makes room for what it is asked for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._read, self.seek, self.tell = stream.read, stream.seek, stream.tell
        self._size = stream.seek(0, SEEK_END)
        stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        left = self._size - self.tell()
        return self._read(min(size, left) if size >= 0 else left)


def _too_large(name: str) -> UserError:
    return UserError(
        f'"{name}" has more than {MAX_PIXELS // 1_000_000} million pixels or a side of '
        f'more than {MAX_SIDE}: send a smaller image'
    )


def _orientation(image: Image.Image) -> int:
    # Unlike image.getexif(), this ignores XMP, as OpenCV and browsers do.
    exif = Image.Exif()
    try:
        exif.load(image.info.get('exif', b''))
        return exif.get(ORIENTATION, 1)
    except Exception:  # damaged EXIF data do not affect the pixels
        return 1


def _to_bgr(image: Image.Image) -> np.ndarray:
    """Converts a few rows at a time, because Pillow would make two more copies."""
    width, height = image.size
    bgr = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        rows = image.crop((0, top, width, min(top + _ROWS, height)))
        if rows.mode.startswith('I'):
            # 16-bit gray, which Pillow would clip.
            bgr[top : top + _ROWS] = (np.asarray(rows) >> 8)[..., None]
        else:
            bgr[top : top + _ROWS] = np.asarray(rows.convert('RGB'))[..., ::-1]
    return bgr


def read_box(form: Mapping[str, str], shape: tuple[int, ...]) -> np.ndarray:
    """Reads the box as x1, y1, x2, y2 in pixels, float32 (1, 4).

    ``shape`` starts with the height and the width of the image.
    """
    numbers = []
    for side in SIDES:
        text = form.get(side, '').strip()
        try:
            numbers.append(float(text))
        except ValueError:
            problem = f'is "{text[:20]}"' if text else 'is missing'
            raise UserError(
                f'{side} of the box {problem}: draw the box on the image, or type four '
                'numbers'
            ) from None
    return check_boxes([numbers], shape)
