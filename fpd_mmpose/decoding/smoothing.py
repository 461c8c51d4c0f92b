"""Gaussian smoothing as products of matrices, which NumPy and ONNX compute alike."""

from functools import lru_cache

import cv2
import numpy as np


@lru_cache(maxsize=8)
def blur_matrix(size: int, kernel: int, mirrored: bool = False) -> np.ndarray:
    """Returns the float32 matrix (size, size) that smooths a column of pixels.

    It computes what OpenCV's ``GaussianBlur`` does along one axis for an odd ``kernel``
    and its own standard deviation. Beyond the border are zeros, or mirrored pixels
    (``BORDER_REFLECT_101``).
    """
    reach = kernel // 2
    weights = cv2.getGaussianKernel(kernel, 0).ravel()
    sources = np.arange(size)[:, None] + np.arange(-reach, reach + 1)
    if mirrored:
        period = max(2 * (size - 1), 1)
        sources %= period
        sources = np.minimum(sources, period - sources)
    rows, taps = np.nonzero((sources >= 0) & (sources < size))
    matrix = np.zeros((size, size))
    np.add.at(matrix, (rows, sources[rows, taps]), weights[taps])
    matrix = matrix.astype(np.float32)
    matrix.flags.writeable = False  # it is shared
    return matrix


def smooth(heatmaps: np.ndarray, kernel: int) -> np.ndarray:
    """Smooths heatmaps (..., h, w), and keeps their maxima, as MMPose does for DARK.

    Heatmaps that are empty once smoothed become zeros.
    """
    height, width = heatmaps.shape[-2:]
    blurred = blur_matrix(height, kernel) @ heatmaps @ blur_matrix(width, kernel).T
    return _scale_to_maxima(blurred, heatmaps, (-2, -1))


def smooth_vectors(vectors: np.ndarray, kernel: int) -> np.ndarray:
    """Smooths vectors (..., L), and keeps their maxima; see :func:`smooth`."""
    blurred = vectors @ blur_matrix(vectors.shape[-1], kernel).T
    return _scale_to_maxima(blurred, vectors, (-1,))


def smooth_mirrored(heatmaps: np.ndarray, kernel: int) -> np.ndarray:
    """Smooths heatmaps (..., h, w) with mirrored borders."""
    height, width = heatmaps.shape[-2:]
    rows = blur_matrix(height, kernel, mirrored=True)
    return rows @ heatmaps @ blur_matrix(width, kernel, mirrored=True).T


def _scale_to_maxima(
    blurred: np.ndarray, original: np.ndarray, axes: tuple[int, ...]
) -> np.ndarray:
    before = original.max(axis=axes, keepdims=True)
    after = blurred.max(axis=axes, keepdims=True)
    factor = np.divide(before, after, out=np.zeros_like(after), where=after != 0)
    return blurred * factor
