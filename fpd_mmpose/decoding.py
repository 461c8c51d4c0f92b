"""Keypoints from heatmaps, in NumPy alone."""

from collections.abc import Callable

import numpy as np


def decode_reference(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds the joints as the released FPD code does (``FPDHeatmap``).

    A maximum is moved a quarter pixel towards its higher neighbours if both
    ``1 < x < w - 1`` and ``1 < y < h - 1``. A heatmap without a positive value gives
    (0, 0).

    Args:
        heatmaps (np.ndarray): (..., h, w).

    Returns:
        tuple[np.ndarray, np.ndarray]: Keypoints in heatmap pixels, float32 (..., 2),
        and the maxima (...).
    """
    return _decode(heatmaps, empty=0, both=True)


def decode_stock(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds the joints as MMPose's ``MSRAHeatmap`` does, without ``unbiased``.

    A maximum is moved along x if ``1 < x < w - 1`` and ``y > 0``, along y if
    ``1 < y < h - 1`` and ``x > 0``. A heatmap without a positive value gives
    (-1, -1).

    Args:
        heatmaps (np.ndarray): (..., h, w).

    Returns:
        tuple[np.ndarray, np.ndarray]: Keypoints in heatmap pixels, float32 (..., 2),
        and the maxima (...).
    """
    return _decode(heatmaps, empty=-1, both=False)


#: The decoding of each codec.
DECODERS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    'FPDHeatmap': decode_reference,
    'MSRAHeatmap': decode_stock,
}


def _decode(
    heatmaps: np.ndarray, empty: float, both: bool
) -> tuple[np.ndarray, np.ndarray]:
    *joints, height, width = heatmaps.shape
    flat = heatmaps.reshape(-1, height * width)
    number = np.arange(len(flat))
    best = flat.argmax(axis=1)
    scores = flat[number, best]
    y, x = np.divmod(best, width)
    keypoints = np.stack([x, y], axis=1).astype(np.float32)
    positive = scores > 0
    keypoints[scores <= 0] = empty

    inner_x = positive & (1 < x) & (x < width - 1)
    inner_y = positive & (1 < y) & (y < height - 1)
    moves = (inner_x & inner_y,) * 2 if both else (inner_x & (y > 0), inner_y & (x > 0))
    for axis, (moved, step) in enumerate(zip(moves, (1, width), strict=True)):
        joint, place = number[moved], best[moved]
        slope = flat[joint, place + step] - flat[joint, place - step]
        keypoints[moved, axis] += np.sign(slope) * 0.25
    return keypoints.reshape(*joints, 2), scores.reshape(joints)
