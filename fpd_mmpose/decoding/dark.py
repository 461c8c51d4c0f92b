"""Decoding between pixels: the top of a parabola, or offsets that are predicted."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fpd_mmpose.decoding.maxima import as_keypoints, find_maxima, values_at
from fpd_mmpose.decoding.smoothing import smooth, smooth_mirrored

#: What logarithms are taken of is at least this, and for UDP at most the second value.
DARK_FLOOR = 1e-10
UDP_RANGE = (1e-3, 50.0)
#: Keeps the curvature of a flat heatmap from being zero for UDP.
UDP_EPSILON = float(np.finfo(np.float32).eps)


def decode_dark(
    heatmaps: np.ndarray, blur_kernel: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as MMPose's ``MSRAHeatmap(unbiased=True)`` does.

    A maximum with ``1 < x < w - 2`` and ``1 < y < h - 2`` moves to the top of the
    parabola through the logarithms of the smoothed heatmap. Returns float32 keypoints
    (..., 2) in heatmap pixels and scores (...). A heatmap without a positive value
    gives (-1, -1).
    """
    x, y, scores = find_maxima(heatmaps)
    logs = np.log(np.maximum(smooth(heatmaps, blur_kernel[0]), np.float32(DARK_FLOOR)))

    def at(right: int, down: int) -> np.ndarray:
        return values_at(logs, x + right, y + down)

    height, width = heatmaps.shape[-2:]
    inner = (1 < x) & (x < width - 2) & (1 < y) & (y < height - 2) & (scores > 0)
    moves = np.where(inner[..., None], _to_top(*dark_parabola(at)), 0)
    return (as_keypoints(x, y, scores) + moves).astype(np.float32), scores


def decode_udp(
    heatmaps: np.ndarray, blur_kernel: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as MMPose's ``UDPHeatmap`` does by default.

    As :func:`decode_dark`, with closer neighbors, and at the border too. A heatmap
    without a positive value gives (-1, -1); MMPose adds to that what it reads from
    the heatmaps of other keypoints.
    """
    x, y, scores = find_maxima(heatmaps)
    logs = np.log(np.clip(smooth(heatmaps, blur_kernel[0]), *UDP_RANGE))

    def at(right: int, down: int) -> np.ndarray:
        return values_at(logs, x + right, y + down)

    moves = np.where((scores > 0)[..., None], _to_top(*udp_parabola(at)), 0)
    return (as_keypoints(x, y, scores) + moves).astype(np.float32), scores


def decode_offsets(
    outputs: np.ndarray, blur_kernel: tuple[int, int], offset_radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes outputs (..., 3K, h, w) as ``UDPHeatmap(heatmap_type='combined')`` does.

    Each keypoint has a heatmap, and its offsets along x and y as shares of a radius in
    heatmap pixels. Returns as :func:`decode_dark`, with shapes (..., K, 2) and
    (..., K).
    """
    *leading, channels, height, width = outputs.shape
    outputs = outputs.reshape(*leading, channels // 3, 3, height, width)
    x, y, scores = find_maxima(smooth_mirrored(outputs[..., 0, :, :], blur_kernel[0]))
    moves = np.stack(
        [values_at(outputs[..., axis, :, :], x, y) for axis in (1, 2)], axis=-1
    )
    moves = np.where((scores > 0)[..., None], moves * offset_radius, 0)
    return (as_keypoints(x, y, scores) + moves).astype(np.float32), scores


def dark_parabola(at: Callable[[int, int], Any]) -> tuple[tuple, tuple]:
    """Returns slopes along x and y, and curvatures along x, mixed, and along y.

    The function returns the values, of NumPy or PyTorch, at so many pixels to the right
    of the maxima and down.
    """
    slopes = 0.5 * (at(1, 0) - at(-1, 0)), 0.5 * (at(0, 1) - at(0, -1))
    curvatures = (
        0.25 * (at(2, 0) - 2 * at(0, 0) + at(-2, 0)),
        0.25 * (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)),
        0.25 * (at(0, 2) - 2 * at(0, 0) + at(0, -2)),
    )
    return slopes, curvatures


def udp_parabola(at: Callable[[int, int], Any]) -> tuple[tuple, tuple]:
    """Returns what :func:`dark_parabola` does, from closer neighbors."""
    center, right, left = at(0, 0), at(1, 0), at(-1, 0)
    below, above = at(0, 1), at(0, -1)
    mixed = at(1, 1) - right - below + 2 * center - left - above + at(-1, -1)
    curvatures = (
        right - 2 * center + left + UDP_EPSILON,
        0.5 * mixed,
        below - 2 * center + above + UDP_EPSILON,
    )
    return (0.5 * (right - left), 0.5 * (below - above)), curvatures


def _to_top(
    slopes: tuple[np.ndarray, np.ndarray],
    curvatures: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Returns the ways (..., 2) to the tops of parabolas.

    ``curvatures`` are those along x, mixed, and along y; a flat parabola gives (0, 0).
    """
    dx, dy = (slope.astype(np.float64) for slope in slopes)
    dxx, dxy, dyy = (curvature.astype(np.float64) for curvature in curvatures)
    determinant = dxx * dyy - dxy * dxy
    safe = np.where(determinant == 0, 1, determinant)
    moves = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1)
    return np.where((determinant != 0)[..., None], moves / safe[..., None], 0)
