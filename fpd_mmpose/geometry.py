"""Maps people's boxes to network inputs and back, with NumPy and OpenCV alone."""

from collections.abc import Callable

import cv2
import numpy as np

#: The factor that enlarges a box before it is cropped.
PADDING = 1.25
#: Pixels per unit of ``scale`` in MPII's annotations.
PIXELS_PER_SCALE = 200.0
#: Pixels per unit of ``scale`` by which MPII's centers are moved down.
CENTER_SHIFT = 15.0
#: OpenCV does not warp images with a longer side.
MAX_SIDE = 32_766
#: OpenCV 4 rounds the positions that ``cv2.warpAffine`` reads to 1/32 of a pixel.
_ROUNDS = int(cv2.__version__.partition('.')[0]) < 5
#: Pixels around a crop that interpolation can reach, with room for rounding.
_MARGIN = 4


def box_center_scale(
    boxes: np.ndarray, padding: float
) -> tuple[np.ndarray, np.ndarray]:
    """Converts xyxy boxes (N, 4) to centers and padded sizes, (N, 2) each.

    The numbers are those of MMPose's ``GetBBoxCenterScale``.
    """
    first, last = boxes[:, :2], boxes[:, 2:]
    return (last + first) * 0.5, (last - first) * padding


def fit_aspect_ratio(scale: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Lengthens the shorter sides of boxes (N, 2) to the aspect ratio of a crop.

    ``size`` is the width and height of the crop.
    """
    ratio = size[0] / size[1]
    width, height = scale[:, :1], scale[:, 1:]
    return np.where(
        width > height * ratio,
        np.hstack([width, width / ratio]),
        np.hstack([height * ratio, height]),
    )


def reference_warp(
    center: np.ndarray, scale: np.ndarray, rotation: float, output_size: tuple[int, int]
) -> np.ndarray:
    """Computes the affine map (2, 3) from the image to the crop of one box.

    The center and scale are in pixels, the rotation is in degrees, and the output size
    is the width and height. As in the reference, only the width of the box counts.
    """
    angle = np.pi * rotation / 180
    half = scale[0] * -0.5
    up = np.array([-half * np.sin(angle), half * np.cos(angle)])
    return _warp(center, up, output_size, (0, output_size[0] * -0.5))


def stock_warp(
    center: np.ndarray, scale: np.ndarray, rotation: float, output_size: tuple[int, int]
) -> np.ndarray:
    """Computes the map of MMPose's ``TopdownAffine``; see :func:`reference_warp`.

    The two maps differ only by rounding, because they are fitted to different points.
    """
    angle = np.deg2rad(rotation)
    half = scale[0] * -0.5
    left = np.array([half * np.cos(angle), half * np.sin(angle)])
    return _warp(center, left, output_size, (output_size[0] * -0.5, 0))


def udp_warp(
    center: np.ndarray, scale: np.ndarray, rotation: float, output_size: tuple[int, int]
) -> np.ndarray:
    """Computes the map of ``TopdownAffine(use_udp=True)``; see :func:`reference_warp`.

    The borders of the box become the centers of the outermost pixels of the crop.
    """
    # As precise as MMPose computes with scalars: NumPy 1 makes them float64.
    center, scale = np.array([center, scale], dtype=(scale[0] * 1.0).dtype)
    angle = np.deg2rad(rotation)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]],
        dtype=center.dtype,
    )
    factor = np.subtract(output_size, 1, dtype=scale.dtype) / scale
    shift = 0.5 * scale - turn @ center
    return np.hstack([factor[:, None] * turn, (factor * shift)[:, None]]).astype(
        np.float32
    )


def _warp(
    center: np.ndarray,
    arm: np.ndarray,
    output_size: tuple[int, int],
    output_arm: tuple[float, float],
) -> np.ndarray:
    """Fits the map to float32 points: the center, an arm, and a right angle."""
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


#: The name of MMPose's cropping transform with the grid of UDP.
UDP_CROP = 'TopdownAffine(use_udp=True)'
#: The map of each cropping transform.
WARPS: dict[str, Callable[..., np.ndarray]] = {
    'FPDTopdownAffine': reference_warp,
    'TopdownAffine': stock_warp,
    UDP_CROP: udp_warp,
}


def crop_box(
    image: np.ndarray,
    warp: np.ndarray,
    size: tuple[int, int],
    out: np.ndarray | None = None,
    interpolation: int = cv2.INTER_LINEAR,
) -> np.ndarray:
    """Crops a box of the given width and height, which is black outside the image.

    The crop is written to ``out`` if that is given.
    """
    if max(image.shape[:2]) > MAX_SIDE:
        image, warp = _cut(image, warp, size)
    return cv2.warpAffine(image, warp, size, dst=out, flags=interpolation)


def reference_crop(
    image: np.ndarray,
    warp: np.ndarray,
    size: tuple[int, int],
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Crops a box as :func:`crop_box` does with OpenCV 4, and so the reference."""
    if _ROUNDS:
        return crop_box(image, warp, size, out)
    if max(image.shape[:2]) > MAX_SIDE:
        image, warp = _cut(image, warp, size)
    return cv2.remap(image, *_rounded_places(warp, size), cv2.INTER_LINEAR, dst=out)


def _rounded_places(
    warp: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Computes whole pixels (h, w, 2), int16, and 1/32 pixels (h, w), uint16."""
    inverse = cv2.invertAffineTransform(np.asarray(warp, np.float64)) * 1024
    steps = np.rint(inverse[:, :1] * np.arange(size[0]))
    starts = np.rint(inverse[:, 1:2] * np.arange(size[1]) + inverse[:, 2:])
    # Half of 1/32 more, as the rest is cut off.
    places = (starts[:, :, None] + steps[:, None] + 16).astype(np.int64) >> 5
    whole = np.clip(places >> 5, -(2**15), 2**15 - 1).astype(np.int16)
    x, y = places & 31
    return np.dstack([*whole]), (y * 32 + x).astype(np.uint16)


def _cut(
    image: np.ndarray, warp: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts an image to what a crop needs of it, and shrinks what is still too large.

    Returns the part, and the map from it to the crop.
    """
    sides = np.array(image.shape[1::-1])
    inverse = cv2.invertAffineTransform(np.asarray(warp, np.float64))
    corners = np.array([(x, y) for x in (0, size[0]) for y in (0, size[1])])
    reached = corners @ inverse[:, :2].T + inverse[:, 2]
    # At least a pixel, for a crop outside the image.
    first = np.clip(np.floor(reached.min(0)) - _MARGIN, 0, sides - 1).astype(int)
    last = np.clip(np.ceil(reached.max(0)) + _MARGIN, first + 1, sides).astype(int)
    part = image[first[1] : last[1], first[0] : last[0]]
    found = last - first
    kept = np.minimum(found, MAX_SIDE)
    factor = found / kept
    if (kept < found).any():
        part = cv2.resize(part, kept.tolist(), interpolation=cv2.INTER_AREA)
    # A pixel of the part has its center at `start + factor * index` in the image.
    start = first + (factor - 1) / 2
    linear = np.asarray(warp[:, :2], np.float64)
    return part, np.column_stack([linear * factor, linear @ start + warp[:, 2]])


def to_image(
    keypoints: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    input_size: tuple[int, int],
) -> np.ndarray:
    """Maps keypoints (N, K, 2) from the crops to the image, in float32.

    ``center`` and ``scale`` (N, 2) are in image pixels, the latter with the aspect
    ratio of the crop. The numbers are those of MMPose's ``TopdownPoseEstimator``.
    """
    center, scale = center[:, None], scale[:, None]
    # The integer tuple makes this float64, in MMPose too.
    found = keypoints / np.array(input_size) * scale + center - 0.5 * scale
    return found.astype(np.float32)
