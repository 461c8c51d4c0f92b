"""Draws an image with several people and known boxes."""

from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic.scene import MIN_SIZE, draw_person

SIZE = (1280, 720)
"""Width and height of the image in pixels."""
_QUALITY = 90


def write_crowd(path: str | Path, people: int) -> np.ndarray:
    """Draws people side by side, and returns their boxes (N, 4) as xyxy in pixels."""
    width, height = SIZE
    side = height
    while (width // side) * (height // side) < people:
        side -= 1
        if side < MIN_SIZE:
            raise UserError(f'{people} people do not fit into {width}x{height} pixels')
    columns = width // side
    image = np.full((height, width, 3), 127, np.uint8)
    boxes = []
    for index in range(people):
        top, left = side * (index // columns), side * (index % columns)
        drawn = draw_person(0, 'val', index, side)
        image[top : top + side, left : left + side] = drawn.image
        inside = drawn.joints[drawn.visible]
        box = np.concatenate([inside.min(axis=0), inside.max(axis=0)])
        boxes.append(box + (left, top, left, top))
    _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    Path(path).write_bytes(jpeg.tobytes())
    return np.array(boxes, np.float32)
