"""Converts heatmaps to bytes, and warps them to other crops of the same image."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.output_format import Axis, OutputFormat, heatmap_format

#: The number of steps between the lowest and the highest value of a person's heatmaps.
LEVELS = 255
#: The rounding of float32 coordinates, in pixels.
ROUNDING = 1e-3


def pack_maps(heatmaps: np.ndarray) -> tuple[float, int, bytes]:
    """Quantizes and compresses the heatmaps of a person to a step, a zero, and levels.

    Zeros stay zeros. Errors are at most half a step, 0.2% of the range of the person's
    values, or at its two ends three times that.
    """
    low, high = min(float(heatmaps.min()), 0.0), max(float(heatmaps.max()), 0.0)
    step = (high - low) / LEVELS or 1.0
    zero = round(-low / step)
    levels = (np.rint(heatmaps / step) + zero).clip(0, LEVELS).astype(np.uint8)
    return step, zero, zlib.compress(levels.tobytes(), 6)


def unpack_levels(content: bytes, shape: Sequence[int]) -> np.ndarray:
    """Unpacks the levels, uint8; heatmaps are (levels - zero) * step."""
    return np.frombuffer(zlib.decompress(content), dtype=np.uint8).reshape(shape)


def warp_maps(
    heatmaps: Tensor, sources: Tensor, first: Tensor, size: Sequence[int]
) -> Tensor:
    """Resamples heatmaps (N, Z, K, h, w) of people at several zooms to (N, K, *size).

    The affine maps of ``sources``, (N, Z, 2, 3), lead from the pixels (x, y) of the
    result to those of each zoom. A pixel comes from the person's ``first`` zoom or,
    outside of that, from the next wider one; outside of all zooms it is 0.
    Interpolation is bicubic: bilinear weights would take up to 6% off a peak of sigma 2
    that falls between two pixels, and 17% off one of sigma 1.
    """
    height, width = heatmaps.shape[-2:]
    like: dict[str, Any] = dict(device=heatmaps.device, dtype=heatmaps.dtype)
    rows, columns = torch.arange(size[0], **like), torch.arange(size[1], **like)
    result = heatmaps.new_zeros(len(heatmaps), heatmaps.shape[2], *size)
    for zoom in reversed(range(heatmaps.shape[1])):
        matrix = sources[:, zoom, :, :, None, None]
        points = matrix[:, :, 0] * columns + matrix[:, :, 1] * rows[:, None]
        x, y = (points + matrix[:, :, 2]).unbind(1)
        # Numbers, because copying a tensor of both to the device would stop the host.
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
    cells: tuple[Axis, Axis],
    stored_cells: tuple[Axis, Axis],
) -> np.ndarray:
    """Computes the affine map (2, 3) from a sample's heatmap to the stored one.

    ``to_input`` and ``to_teacher`` map the image to the inputs of the sample and of the
    teacher, and the two pairs of axes say where the heatmaps' pixels lie in these.
    """
    to_image = np.linalg.inv(_square(to_input)) @ _to_input(cells)
    to_stored = np.linalg.inv(_to_input(stored_cells))
    return (to_stored @ _square(to_teacher) @ to_image)[:2]


def _to_input(cells: tuple[Axis, Axis]) -> np.ndarray:
    """Maps a heatmap's pixels to those of the input, (3, 3)."""
    x, y = cells
    return np.array([[x.stride, 0, x.first], [0, y.stride, y.first], [0, 0, 1]])


def _square(matrix: np.ndarray) -> np.ndarray:
    """Extends an affine map (2, 3) to homogeneous coordinates, (3, 3)."""
    return np.vstack([matrix, (0, 0, 1)])


def stored_format(settings: Mapping[str, Any], path: str | Path) -> OutputFormat:
    """Describes the heatmaps of the file ``path``."""
    _, joints, height, width = settings['shape']
    sigma = settings.get('sigma', 0.0)  # unknown in older files
    if not isinstance(sigma, (int, float)) or not 0 <= sigma < width:
        raise UserError(f'teacher cache "{path}" is damaged: its sigma is {sigma!r}')
    across, down = settings['input size']
    return heatmap_format(joints, (across, down), (width, height), sigma=sigma)
