"""Draws people in images as large as MPII's."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic.mpii_writer import image_name, mpii_annotation
from fpd_mmpose.synthetic.scene import MIN_SIZE, PersonSample, draw_person

ANNOTATIONS = 'annotations/mpii_train.json'
_JPEG_QUALITY = 90
# Cells of a background that is stretched to the image.
_CELLS = (16, 9)


def write_wide_people(
    root: str | Path, people: int, size: tuple[int, int] = (1280, 720), seed: int = 0
) -> None:
    """Draws a training set in MPII's layout, to time reading it.

    A person fills the shorter side of the image; soft colors fill the rest.
    """
    if min(size) < MIN_SIZE:
        raise UserError(
            f'images of {size[0]}x{size[1]} pixels are too small to draw people in: '
            f'each side must be {MIN_SIZE} or more'
        )
    root = Path(root)
    for folder in ('images', 'annotations'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    entries = []
    # With disable=None, tqdm draws a bar only in a terminal.
    for index in tqdm(range(people), desc='drawing people', unit='', disable=None):
        sample = _widened(draw_person(seed, 'train', index, min(size)), size, index)
        name = image_name('train', index)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        _, jpeg = cv2.imencode('.jpg', sample.image, quality)
        (root / 'images' / name).write_bytes(jpeg.tobytes())
        entries.append(mpii_annotation(sample, name))
    (root / ANNOTATIONS).write_text(json.dumps(entries), encoding='utf-8')


def _widened(sample: PersonSample, size: tuple[int, int], seed: int) -> PersonSample:
    rng = np.random.default_rng(seed)
    cells = rng.integers(256, size=(*_CELLS[::-1], 3), dtype=np.uint8)
    image = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
    side = len(sample.image)
    left, top = (int(rng.integers(length - side + 1)) for length in size)
    image[top : top + side, left : left + side] = sample.image
    return replace(
        sample,
        image=image,
        joints=sample.joints + (left, top),
        head_box=sample.head_box + (left, top),
        center=sample.center + (left, top),
    )
