"""What a visitor of the page sends."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from ...inputs import check_boxes, decode_image

#: A picture of more pixels would take gigabytes to draw on.
MAX_PIXELS = 40_000_000
SIDES = ('x1', 'y1', 'x2', 'y2')


def read_picture(content: bytes, name: str) -> np.ndarray:
    """Decodes a picture that somebody else chose.

    Args:
        content (bytes): Of the file.
        name (str): For the message.

    Returns:
        np.ndarray: BGR, uint8 (H, W, 3).

    Raises:
        ValueError: If it is no picture, or has more than :data:`MAX_PIXELS`. One line.
    """
    name = name[:100]
    # Small files may unpack to large pictures: the header is read first.
    try:
        with Image.open(io.BytesIO(content)) as header:
            width, height = header.size
    except Image.DecompressionBombError:
        width = height = MAX_PIXELS
    except Exception:  # of many types, depending on the format
        width = height = 0
    if width * height > MAX_PIXELS:
        raise ValueError(
            f'"{name}" has more than {MAX_PIXELS // 1_000_000} million pixels: send a '
            'smaller picture'
        )
    return decode_image(content, name)


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
