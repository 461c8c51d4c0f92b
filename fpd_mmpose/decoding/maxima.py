"""Maxima of heatmaps, and values around them."""

import numpy as np


def find_maxima(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the columns x, rows y, and values of the maxima of heatmaps (..., h, w).

    Each has the shape (...). Of equal values, the first counts.
    """
    *leading, height, width = heatmaps.shape
    flat = heatmaps.reshape(-1, height * width)
    peaks = flat.argmax(axis=1)
    values = flat[np.arange(len(flat)), peaks]
    y, x = np.divmod(peaks, width)
    return x.reshape(leading), y.reshape(leading), values.reshape(leading)


def values_at(heatmaps: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the values of heatmaps (..., h, w) at the pixels x and y, (...) each.

    Pixels outside get the value of the closest one inside.
    """
    *leading, height, width = heatmaps.shape
    places = np.clip(y, 0, height - 1) * width + np.clip(x, 0, width - 1)
    flat = heatmaps.reshape(*leading, height * width)
    return np.take_along_axis(flat, places[..., None], axis=-1)[..., 0]


def as_keypoints(x: np.ndarray, y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns float32 keypoints (..., 2), which are (-1, -1) without a positive score.

    That is where MMPose's codecs put them.
    """
    keypoints = np.stack([x, y], axis=-1).astype(np.float32)
    keypoints[~(scores > 0)] = -1
    return keypoints
