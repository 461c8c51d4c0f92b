"""From a person's box to the network's input, and back: NumPy and OpenCV alone."""

from collections.abc import Callable

import cv2
import numpy as np


def box_center_scale(
    boxes: np.ndarray, padding: float
) -> tuple[np.ndarray, np.ndarray]:
    """Takes boxes as ``GetBBoxCenterScale`` does.

    Args:
        boxes (np.ndarray): ``x1, y1, x2, y2`` in pixels, (N, 4).
        padding (float): What their sizes are multiplied by.

    Returns:
        tuple[np.ndarray, np.ndarray]: Centres, and widths and heights after the
        padding, in pixels, (N, 2) each.
    """
    first, last = boxes[:, :2], boxes[:, 2:]
    return (last + first) * 0.5, (last - first) * padding


def fit_aspect_ratio(scale: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Lengthens the shorter side of boxes to the shape of a crop.

    Args:
        scale (np.ndarray): Widths and heights in pixels, (N, 2).
        size (tuple[int, int]): Width and height of the crop.

    Returns:
        np.ndarray: Widths and heights, (N, 2).
    """
    ratio = size[0] / size[1]
    width, height = scale[:, :1], scale[:, 1:]
    return np.where(
        width > height * ratio,
        np.hstack([width, width / ratio]),
        np.hstack([height * ratio, height]),
    )


def reference_warp(
    center: np.ndarray,
    scale: np.ndarray,
    rotation: float,
    output_size: tuple[int, int],
) -> np.ndarray:
    """Computes the affine map from the image to the crop.

    Args:
        center (np.ndarray): Centre of the box in pixels, (2,).
        scale (np.ndarray): Width and height of the box in pixels, (2,); the width
            alone sets the size, as in the reference.
        rotation (float): In degrees.
        output_size (tuple[int, int]): Width and height of the crop.

    Returns:
        np.ndarray: The matrix, float64, (2, 3).
    """
    angle = np.pi * rotation / 180
    half = scale[0] * -0.5
    up = np.array([-half * np.sin(angle), half * np.cos(angle)])
    return _warp(center, up, output_size, (0, output_size[0] * -0.5))


def stock_warp(
    center: np.ndarray,
    scale: np.ndarray,
    rotation: float,
    output_size: tuple[int, int],
) -> np.ndarray:
    """Computes the map of MMPose's ``TopdownAffine``.

    It fixes the map of :func:`reference_warp` by other points: the centre, the middle
    of the box's left edge, and a point at a right angle.

    Args:
        center (np.ndarray): Centre of the box in pixels, (2,).
        scale (np.ndarray): Width and height of the box in pixels, (2,).
        rotation (float): In degrees.
        output_size (tuple[int, int]): Width and height of the crop.

    Returns:
        np.ndarray: The matrix, float64, (2, 3).
    """
    angle = np.deg2rad(rotation)
    half = scale[0] * -0.5
    left = np.array([half * np.cos(angle), half * np.sin(angle)])
    return _warp(center, left, output_size, (output_size[0] * -0.5, 0))


def _warp(
    center: np.ndarray,
    arm: np.ndarray,
    output_size: tuple[int, int],
    output_arm: tuple[float, float],
) -> np.ndarray:
    """Maps the centre and a point beside it, by points in float32."""
    source = np.zeros((3, 2), dtype=np.float32)
    source[0] = center
    source[1] = center + arm
    target = np.zeros((3, 2), dtype=np.float32)
    target[0] = output_size[0] * 0.5, output_size[1] * 0.5
    target[1] = target[0] + output_arm
    for points in (source, target):
        across = points[0] - points[1]
        points[2] = points[1] + (-across[1], across[0])
    return cv2.getAffineTransform(source, target)


#: The map of each class that crops.
WARPS: dict[str, Callable[..., np.ndarray]] = {
    'FPDTopdownAffine': reference_warp,
    'TopdownAffine': stock_warp,
}


def crop_box(
    image: np.ndarray,
    warp: np.ndarray,
    size: tuple[int, int],
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Cuts a box out of an image.

    Args:
        image (np.ndarray): (H, W) or (H, W, C).
        warp (np.ndarray): The map from the image to the crop, (2, 3).
        size (tuple[int, int]): Width and height of the crop.
        out (np.ndarray, optional): Where to write it, (h, w) or (h, w, C).

    Returns:
        np.ndarray: The crop; black outside of the image.
    """
    return cv2.warpAffine(image, warp, size, dst=out, flags=cv2.INTER_LINEAR)


def to_image(
    keypoints: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    input_size: tuple[int, int],
) -> np.ndarray:
    """Brings keypoints back to the image, as ``TopdownPoseEstimator`` does.

    Args:
        keypoints (np.ndarray): In pixels of the crops, (N, K, 2).
        center (np.ndarray): Of the boxes, in pixels of the image, (N, 2).
        scale (np.ndarray): Widths and heights of the boxes, of the shape of a crop,
            (N, 2).
        input_size (tuple[int, int]): Width and height of a crop.

    Returns:
        np.ndarray: In pixels of the image, float32 (N, K, 2).
    """
    center, scale = center[:, None], scale[:, None]
    # In float64, to which the tuple of integers brings MMPose's too.
    found = keypoints / np.array(input_size) * scale + center - 0.5 * scale
    return found.astype(np.float32)
