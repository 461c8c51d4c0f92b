"""Decoding of SimCC: one vector along x and one along y for each keypoint."""

import numpy as np

from fpd_mmpose.decoding.dark import UDP_RANGE
from fpd_mmpose.decoding.maxima import as_keypoints
from fpd_mmpose.decoding.smoothing import smooth_vectors

#: Keeps the curvature of a flat vector from being zero.
SIMCC_EPSILON = 1e-9


def decode_simcc(
    simcc_x: np.ndarray, simcc_y: np.ndarray, blur_kernel: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes vectors (..., Wx) and (..., Wy) as MMPose's ``SimCCLabel`` does.

    Returns float32 keypoints (..., 2) in bins, and as scores (...) the lower of both
    maxima. With a kernel for each axis, the maxima move as those of DARK. A keypoint
    without a positive score is at (-1, -1).
    """
    x, y = simcc_x.argmax(axis=-1), simcc_y.argmax(axis=-1)
    scores = np.minimum(simcc_x.max(axis=-1), simcc_y.max(axis=-1))
    keypoints = as_keypoints(x, y, scores)
    if blur_kernel is not None:
        moves = np.stack(
            [_to_top(simcc_x, x, blur_kernel[0]), _to_top(simcc_y, y, blur_kernel[1])],
            axis=-1,
        )
        keypoints += np.where((scores > 0)[..., None], moves, 0)
    return keypoints, scores


def _to_top(vectors: np.ndarray, peaks: np.ndarray, kernel: int) -> np.ndarray:
    logs = np.log(np.clip(smooth_vectors(vectors, kernel), *UDP_RANGE))
    last = vectors.shape[-1] - 1

    def at(step: int) -> np.ndarray:
        places = np.clip(peaks + step, 0, last)[..., None]
        return np.take_along_axis(logs, places, axis=-1)[..., 0]

    slope = 0.5 * (at(1) - at(-1))
    curvature = SIMCC_EPSILON + 0.25 * (at(2) - 2 * at(0) + at(-2))
    return -slope / curvature
