"""Finds keypoints in heatmaps, with NumPy alone."""

from collections.abc import Callable

import numpy as np


def decode_reference(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as the reference does (``FPDHeatmap``).

    Returns float32 keypoints (..., 2) in heatmap pixels and scores (...). A maximum is
    moved a quarter pixel toward its higher neighbors if both ``1 < x < w - 1`` and
    ``1 < y < h - 1``. A heatmap without a positive value gives (0, 0).
    """
    return _decode(heatmaps, empty=0, both=True)


def decode_stock(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes heatmaps (..., h, w) as MMPose's ``MSRAHeatmap`` does by default.

    Returns float32 keypoints (..., 2) in heatmap pixels and scores (...). A maximum is
    moved along x if ``1 < x < w - 1`` and ``y > 0``, and along y if ``1 < y < h - 1``
    and ``x > 0``. A heatmap without a positive value gives (-1, -1).
    """
    return _decode(heatmaps, empty=-1, both=False)


#: The decoding function of each codec.
DECODERS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    'FPDHeatmap': decode_reference,
    'MSRAHeatmap': decode_stock,
}


def _decode(
    heatmaps: np.ndarray, empty: float, both: bool
) -> tuple[np.ndarray, np.ndarray]:
    *leading, height, width = heatmaps.shape
    flat = heatmaps.reshape(-1, height * width)
    rows = np.arange(len(flat))
    peaks = flat.argmax(axis=1)
    scores = flat[rows, peaks]
    y, x = np.divmod(peaks, width)
    keypoints = np.stack([x, y], axis=1).astype(np.float32)
    positive = scores > 0
    keypoints[scores <= 0] = empty

    inner_x = positive & (1 < x) & (x < width - 1)
    inner_y = positive & (1 < y) & (y < height - 1)
    moves = (inner_x & inner_y,) * 2 if both else (inner_x & (y > 0), inner_y & (x > 0))
    for axis, (moved, step) in enumerate(zip(moves, (1, width), strict=True)):
        row, peak = rows[moved], peaks[moved]
        slope = flat[row, peak + step] - flat[row, peak - step]
        keypoints[moved, axis] += np.sign(slope) * 0.25
    return keypoints.reshape(*leading, 2), scores.reshape(leading)
