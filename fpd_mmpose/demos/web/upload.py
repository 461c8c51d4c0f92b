"""What a visitor of the page sends."""

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from PIL import Image

from fpd_mmpose.inputs import check_boxes

#: The only formats that are decoded. Pillow's other decoders stay out of reach.
FORMATS = ('JPEG', 'PNG')
#: Decoding takes up to 12 bytes a pixel (a progressive CMYK JPEG).
MAX_PIXELS = 40_000_000
#: OpenCV warps no image with a longer side.
MAX_SIDE = 32_766
SIDES = ('x1', 'y1', 'x2', 'y2')
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
#: Rows that are converted at once.
_ROWS = 64


def read_picture(stream: BinaryIO, name: str) -> np.ndarray:
    """Decodes a picture from an untrusted source, rotated as its EXIF data say.

    Pillow reads the header and decodes the pixels, so the size that was checked is the
    size that is decoded. A second decoder could read another size from the same file,
    or recognize a format that the check does not know.

    Args:
        stream (BinaryIO): The file, at its start.
        name (str): For the message.

    Returns:
        np.ndarray: BGR, uint8 (H, W, 3). The first frame of an animation.

    Raises:
        ValueError: If it is not a picture in one of :data:`FORMATS`, is damaged, or
            exceeds :data:`MAX_PIXELS` or :data:`MAX_SIDE`. One line.
    """
    name = name[:100]
    try:
        image = Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name) from error
    except Exception as error:  # of many types, depending on the format
        stream.seek(0)
        what = 'is not a JPEG or PNG picture' if stream.read(1) else 'is empty'
        raise ValueError(f'"{name}" {what}: send a JPEG or PNG file') from error
    with image:
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
            raise _too_large(name)
        try:
            image.load()
            turn = _TURNS.get(_orientation(image))
            return _to_bgr(image if turn is None else image.transpose(turn))
        except Exception as error:
            raise ValueError(f'"{name}" is damaged: send another file') from error


def _too_large(name: str) -> ValueError:
    return ValueError(
        f'"{name}" has more than {MAX_PIXELS // 1_000_000} million pixels or a side of '
        f'more than {MAX_SIDE}: send a smaller picture'
    )


def _orientation(image: Image.Image) -> int:
    # Not image.getexif(), which also looks into XMP; OpenCV and browsers do not.
    exif = Image.Exif()
    try:
        exif.load(image.info.get('exif', b''))
        return exif.get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF data do no harm to the pixels
        return 1


def _to_bgr(image: Image.Image) -> np.ndarray:
    """Converts a few rows at a time: Pillow would make two more copies."""
    width, height = image.size
    picture = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        rows = image.crop((0, top, width, min(top + _ROWS, height)))
        if rows.mode.startswith('I'):
            # 16-bit gray, which Pillow would clip.
            picture[top : top + _ROWS] = (np.asarray(rows) >> 8)[..., None]
        else:
            picture[top : top + _ROWS] = np.asarray(rows.convert('RGB'))[..., ::-1]
    return picture


def read_box(form: Mapping[str, str], shape: tuple[int, ...]) -> np.ndarray:
    """Reads the box that was drawn or typed.

    Args:
        form (Mapping[str, str]): With :data:`SIDES`, in pixels.
        shape (tuple[int, ...]): Height and width of the picture first.

    Returns:
        np.ndarray: ``x1, y1, x2, y2``, float32 (1, 4).

    Raises:
        ValueError: If a number is missing or the box cannot be cropped. One line.
    """
    numbers = []
    for side in SIDES:
        text = form.get(side, '').strip()
        try:
            numbers.append(float(text))
        except ValueError:
            what = f'is "{text[:20]}"' if text else 'is missing'
            raise ValueError(
                f'{side} of the box {what}: draw the box on the picture, or type four '
                'numbers'
            ) from None
    return check_boxes([numbers], shape)
