"""Heatmaps as bytes, and as another crop of the same picture shows them."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Steps between the lowest and the highest value of a person's heatmaps.
LEVELS = 255
#: Pixels that a float32 coordinate may be off.
ROUNDING = 1e-3


def pack_maps(heatmaps: np.ndarray) -> tuple[float, int, bytes]:
    """Quantises and compresses the heatmaps of a person.

    Zeros stay zeros, and other values are off by at most half a step: 0.2 % of what
    lies between the person's lowest and highest value, or three times that at
    these two.

    Args:
        heatmaps (np.ndarray): Of any shape.

    Returns:
        tuple[float, int, bytes]: The step between two levels, the level of 0, and the
        levels.
    """
    low, high = min(float(heatmaps.min()), 0.0), max(float(heatmaps.max()), 0.0)
    step = (high - low) / LEVELS or 1.0
    zero = round(-low / step)
    levels = (np.rint(heatmaps / step) + zero).clip(0, LEVELS).astype(np.uint8)
    return step, zero, zlib.compress(levels.tobytes(), 6)


def unpack_levels(content: bytes, shape: Sequence[int]) -> np.ndarray:
    """Reads what :func:`pack_maps` wrote.

    Args:
        content (bytes): The levels.
        shape (Sequence[int]): Of the heatmaps.

    Returns:
        np.ndarray: The levels, uint8. Less that of 0, and times the step, they are
        heatmaps.
    """
    return np.frombuffer(zlib.decompress(content), dtype=np.uint8).reshape(shape)


def warp_maps(
    heatmaps: Tensor, sources: Tensor, first: Tensor, size: Sequence[int]
) -> Tensor:
    """Resamples heatmaps that show each person in several zooms.

    A pixel is from the zoom that is ``first``, or, outside of that one, from the next
    wider one that shows it; outside of all it is 0. Weights are bicubic: bilinear ones
    would take up to 6 % off a peak of sigma 2 that comes to lie between two pixels,
    and 17 % where sigma is 1.

    Args:
        heatmaps (Tensor): From the closest zoom to the widest, (N, Z, K, h, w).
        sources (Tensor): For each zoom the affine map from a pixel (x, y) of the
            result to the pixel that it shows, (N, Z, 2, 3).
        first (Tensor): Index of each person's zoom, (N,).
        size (Sequence[int]): Height and width of the result.

    Returns:
        Tensor: (N, K, *size).
    """
    height, width = heatmaps.shape[-2:]
    like = dict(device=heatmaps.device, dtype=heatmaps.dtype)
    rows, columns = torch.arange(size[0], **like), torch.arange(size[1], **like)
    result = heatmaps.new_zeros(len(heatmaps), heatmaps.shape[2], *size)
    for zoom in reversed(range(heatmaps.shape[1])):
        matrix = sources[:, zoom, :, :, None, None]
        points = matrix[:, :, 0] * columns + matrix[:, :, 1] * rows[:, None]
        x, y = (points + matrix[:, :, 2]).unbind(1)
        # Numbers and no tensor of both, whose copy to the device would stop the host.
        grid = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], -1)
        warped = F.grid_sample(
            heatmaps[:, zoom],
            grid,
            mode='bicubic',
            padding_mode='zeros',
            align_corners=True,
        )
        inside = (x >= -ROUNDING) & (x <= width - 1 + ROUNDING)
        inside &= (y >= -ROUNDING) & (y <= height - 1 + ROUNDING)
        inside &= (first <= zoom)[:, None, None]
        result = torch.where(inside[:, None], warped, result)
    return result


def source_pixels(
    to_input: np.ndarray,
    to_teacher: np.ndarray,
    input_size: Sequence[int],
    teacher_size: Sequence[int],
    size: Sequence[int],
    stored_size: Sequence[int],
) -> np.ndarray:
    """Computes where a stored heatmap shows the pixels of a sample's heatmap.

    Heatmap pixel i stands for input pixel i * stride, as in MSRAHeatmap.

    Args:
        to_input (np.ndarray): Affine map from the picture to the sample's input,
            (2, 3).
        to_teacher (np.ndarray): From the picture to the teacher's input, (2, 3).
        input_size (Sequence[int]): Width and height of the sample's input.
        teacher_size (Sequence[int]): Of the teacher's.
        size (Sequence[int]): Of the sample's heatmap.
        stored_size (Sequence[int]): Of the stored heatmap.

    Returns:
        np.ndarray: Affine map from the sample's heatmap to the stored one, float64,
        (2, 3).
    """
    from_size = np.diag([input_size[0] / size[0], input_size[1] / size[1], 1])
    to_stored = np.diag(
        [stored_size[0] / teacher_size[0], stored_size[1] / teacher_size[1], 1]
    )
    picture = np.linalg.inv(square(to_input)) @ from_size
    return (to_stored @ square(to_teacher) @ picture)[:2]


def square(matrix: np.ndarray) -> np.ndarray:
    """Makes an affine map (2, 3) one of homogeneous coordinates, (3, 3)."""
    return np.vstack([matrix, (0, 0, 1)])
