"""A contact sheet of a drawn dataset, for checking people and keypoints by eye."""

import json
import os
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.datasets.datasets.body.fpd_mpii_dataset import (
    CENTER_SHIFT,
    PADDING,
    PIXELS_PER_SCALE,
)
from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic.skeleton import (
    ARM_CHAINS,
    HEAD_TOP,
    LEG_CHAINS,
    PELVIS,
    THORAX,
    UPPER_NECK,
)

_RIGHT, _LEFT, _MIDDLE = (60, 60, 255), (255, 120, 30), (60, 220, 60)  # BGR
_LIMBS = (
    (_RIGHT, (PELVIS, *LEG_CHAINS[0])),
    (_RIGHT, (THORAX, *ARM_CHAINS[0])),
    (_LEFT, (PELVIS, *LEG_CHAINS[1])),
    (_LEFT, (THORAX, *ARM_CHAINS[1])),
    (_MIDDLE, (PELVIS, THORAX, UPPER_NECK, HEAD_TOP)),
)
_TILE = 240


def write_preview(
    root: str | os.PathLike, path: str | os.PathLike, count: int = 24
) -> None:
    """Writes training images of a drawn dataset, each beside an annotated copy.

    The person's right limbs are red and the left ones blue; the yellow box is the one
    that MPII's readers crop.
    """
    root, path = Path(root), Path(path)
    entries = json.loads((root / 'annotations/mpii_train.json').read_text())[:count]
    tiles = [_tile(root / 'images' / entry['image'], entry) for entry in entries]
    while len(tiles) % 4:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + 4]) for i in range(0, len(tiles), 4)]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = cv2.imwrite(str(path), np.vstack(rows))
    except cv2.error:
        written = False
    if not written:
        raise UserError(
            f'"{path}" cannot be written: use a name ending in .png or .jpg'
        )


def _tile(image_path: Path, entry: dict) -> np.ndarray:
    """Returns the (240, 480, 3) pair of an image and its annotated copy."""
    image = cv2.imread(str(image_path))
    assert image is not None
    zoom = _TILE / len(image)
    plain = cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    marked = plain.copy()

    def place(point: np.ndarray) -> tuple[int, ...]:
        # 1-based coordinates are half a pixel to the right of pixel borders.
        return tuple(np.rint((point - 0.5) * zoom).astype(int).tolist())

    joints, visible = np.array(entry['joints']), entry['joints_vis']
    for color, chain in _LIMBS:
        for a, b in zip(chain[:-1], chain[1:], strict=True):
            if visible[a] and visible[b]:
                ends = place(joints[a]), place(joints[b])
                cv2.line(marked, *ends, color, 1, cv2.LINE_AA)
    for joint in joints[np.array(visible, bool)]:
        cv2.circle(marked, place(joint), 2, (255, 255, 255), -1, cv2.LINE_AA)
    center = np.array(entry['center']) + (0, CENTER_SHIFT * entry['scale'])
    half = 0.5 * PADDING * PIXELS_PER_SCALE * entry['scale']
    cv2.rectangle(marked, place(center - half), place(center + half), (0, 220, 255), 1)
    return np.hstack([plain, marked])
