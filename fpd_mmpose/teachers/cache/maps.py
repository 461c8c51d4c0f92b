"""Converts heatmaps to bytes, and warps them to other crops of the same image."""

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fpd_mmpose.errors import UserError, shown
from fpd_mmpose.readers.annotations import as_numbers
from fpd_mmpose.teachers.output_format import Axis, OutputFormat, heatmap_format

#: The number of steps between the lowest and the highest value of a person's heatmaps.
LEVELS = 255
#: The rounding of float32 coordinates, in pixels.
ROUNDING = 1e-3
#: The most values of a person's heatmaps: 250 joints in maps of 256 x 256 at 4 zooms.
MOST_VALUES = 1 << 26
#: The longest name of a joint, and the largest input.
LONGEST_NAME, LARGEST_INPUT = 200, 1 << 16


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
    """Unpacks the levels, uint8; heatmaps are (levels - zero) * step.

    Content of another size than the shape says is a ValueError.
    """
    size = math.prod(shape)
    try:
        # Never more than the shape says: a few bytes can unpack to gigabytes.
        levels = zlib.decompressobj().decompress(content, size + 1)
    except zlib.error as error:
        raise ValueError(f'its heatmaps cannot be unpacked ({error})') from error
    if len(levels) != size:
        raise ValueError(f'its heatmaps do not unpack to {size:,} values')
    return np.frombuffer(levels, dtype=np.uint8).reshape(shape)


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
    """Describes the heatmaps of the file ``path``, once its settings are checked."""
    if fault := _fault(settings):
        raise UserError(
            f'teacher cache "{path}" is damaged: its {fault} is '
            f'{shown(settings.get(fault))}'
        )
    _, joints, height, width = settings['shape']
    sigma = settings.get('sigma', 0.0)  # unknown in older files
    across, down = settings['input size']
    return heatmap_format(joints, (across, down), (width, height), sigma=sigma)


def _fault(settings: Mapping[str, Any]) -> str:
    """Names the first setting that is not what the writer writes; empty if none is."""
    shape: Any = settings.get('shape')
    size = settings.get('input size')
    if (
        not _are_whole(shape, 4, MOST_VALUES)
        or min(shape[2:]) < 2
        or math.prod(shape) > MOST_VALUES
    ):
        return 'shape'
    zooms, joints, _, width = shape
    factors = as_numbers(settings.get('zooms'), (zooms,))
    sigma, names = settings.get('sigma', 0.0), settings.get('joints')
    flips = settings.get('flip_indices')
    sound = {
        'input size': _are_whole(size, 2, LARGEST_INPUT),
        'zooms': factors is not None and bool((factors >= 0.01).all()),
        'sigma': isinstance(sigma, int | float)
        and (sigma == 0 or 0.01 <= sigma < width),
        'joints': 'joints' in settings
        and (
            names is None
            or isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            and max(map(len, names), default=0) <= LONGEST_NAME
        ),
        'flip_indices': 'flip_indices' in settings
        and (
            flips is None
            or isinstance(flips, list)
            and len(flips) == joints
            and all(type(index) is int and 0 <= index < joints for index in flips)
        ),
    }
    return next((name for name, good in sound.items() if not good), '')


def _are_whole(values: Any, count: int, most: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(value) is int and 1 <= value <= most for value in values)
    )
