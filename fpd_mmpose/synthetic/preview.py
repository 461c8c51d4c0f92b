"""A contact sheet of a drawn data set, to look at people and keypoints."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np

from .skeleton import ARM_CHAINS, HEAD_TOP, LEG_CHAINS, PELVIS, THORAX, UPPER_NECK

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
    """Write pictures of a data set, each beside itself with its annotation.

    The person's right limbs are red and the left ones blue; the yellow box is the
    one that MPII's readers crop.

    Args:
        root: Folder that ``write_dataset`` wrote.
        path: Picture file to write; the ending gives its format.
        count: Number of people, taken from the start of the training split.

    Raises:
        ValueError: If OpenCV cannot write such a file.
    """
    root = Path(root)
    entries = json.loads((root / 'annotations/mpii_train.json').read_text())[:count]
    tiles = [_tile(root / 'images' / entry['image'], entry) for entry in entries]
    while len(tiles) % 4:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + 4]) for i in range(0, len(tiles), 4)]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        written = cv2.imwrite(str(path), np.vstack(rows))
    except cv2.error:
        written = False
    if not written:
        raise ValueError(f'cannot write {path}: name a file ending in .png or .jpg')


def _tile(image_path: Path, entry: dict) -> np.ndarray:
    """Give the (240, 480, 3) pair of a picture and its annotated copy."""
    picture = cv2.imread(str(image_path))
    zoom = _TILE / len(picture)
    plain = cv2.resize(picture, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    marked = plain.copy()

    def place(point: np.ndarray) -> tuple[int, int]:
        # 1-based coordinates are half a pixel to the right of pixel borders.
        x, y = np.rint((np.asarray(point) - 0.5) * zoom).astype(int).tolist()
        return x, y

    joints, visible = np.array(entry['joints']), entry['joints_vis']
    for color, chain in _LIMBS:
        for a, b in zip(chain[:-1], chain[1:], strict=True):
            if visible[a] and visible[b]:
                ends = place(joints[a]), place(joints[b])
                cv2.line(marked, *ends, color, 1, cv2.LINE_AA)
    for joint in joints[np.array(visible, bool)]:
        cv2.circle(marked, place(joint), 2, (255, 255, 255), -1, cv2.LINE_AA)
    center = np.array(entry['center']) + (0, 15 * entry['scale'])
    half = 0.5 * 1.25 * 200 * entry['scale']
    cv2.rectangle(marked, place(center - half), place(center + half), (0, 220, 255), 1)
    return np.hstack([plain, marked])
