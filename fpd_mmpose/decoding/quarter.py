"""Decoding that moves maxima a quarter of a pixel toward their higher neighbors."""

import numpy as np

from fpd_mmpose.decoding.maxima import as_keypoints, find_maxima, values_at
from fpd_mmpose.decoding.smoothing import smooth


def decode_reference(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as the reference does (``FPDHeatmap``).

    Returns float32 keypoints (..., 2) in heatmap pixels and scores (...). A maximum is
    moved a quarter pixel toward its higher neighbors if both ``1 < x < w - 1`` and
    ``1 < y < h - 1``. A heatmap without a positive value gives (0, 0).
    """
    x, y, scores = find_maxima(heatmaps)
    keypoints = as_keypoints(x, y, scores)
    keypoints[~(scores > 0)] = 0
    inner_x, inner_y = _inner(heatmaps, x, y)
    inner = inner_x & inner_y & (scores > 0)
    return keypoints + _moves(heatmaps, x, y, inner, inner), scores


def decode_stock(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as MMPose's ``MSRAHeatmap`` does by default.

    Returns float32 keypoints (..., 2) in heatmap pixels and scores (...). A maximum is
    moved along x if ``1 < x < w - 1`` and ``y > 0``, and along y if ``1 < y < h - 1``
    and ``x > 0``. A heatmap without a positive value gives (-1, -1).
    """
    x, y, scores = find_maxima(heatmaps)
    inner_x, inner_y = _inner(heatmaps, x, y)
    found = scores > 0
    moves = _moves(heatmaps, x, y, inner_x & (y > 0) & found, inner_y & (x > 0) & found)
    return as_keypoints(x, y, scores) + moves, scores


def decode_megvii(
    heatmaps: np.ndarray, blur_kernel: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) with peaks of 255 as ``MegviiHeatmap`` does.

    Heatmaps are smoothed first. Maxima with ``1 < x < w - 1`` and ``1 < y < h - 1``
    are also moved half a pixel to the right and down. Returns as :func:`decode_stock`.
    """
    heatmaps = smooth(heatmaps, blur_kernel[0])
    x, y, peaks = find_maxima(heatmaps)
    inner_x, inner_y = _inner(heatmaps, x, y)
    inner = inner_x & inner_y & (peaks > 0)
    moves = _moves(heatmaps, x, y, inner, inner) + 0.5 * inner[..., None]
    keypoints = as_keypoints(x, y, peaks) + moves.astype(np.float32)
    return keypoints, peaks / np.float32(255) + np.float32(0.5)


def _inner(
    heatmaps: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    height, width = heatmaps.shape[-2:]
    return (1 < x) & (x < width - 1), (1 < y) & (y < height - 1)


def _moves(
    heatmaps: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    along_x: np.ndarray,
    along_y: np.ndarray,
) -> np.ndarray:
    """Returns quarters of a pixel (..., 2), along an axis only where it is allowed."""
    slopes = np.stack(
        [
            values_at(heatmaps, x + 1, y) - values_at(heatmaps, x - 1, y),
            values_at(heatmaps, x, y + 1) - values_at(heatmaps, x, y - 1),
        ],
        axis=-1,
    )
    allowed = np.stack([along_x, along_y], axis=-1)
    return np.where(allowed, np.sign(slopes) * np.float32(0.25), np.float32(0))
