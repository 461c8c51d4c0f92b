"""What the output of a head means: its grid, its peaks, its joints.

Teacher and student each have an :class:`OutputFormat`, made from head and codec.
:class:`~fpd_mmpose.teachers.output_conversion.Conversion` brings one to the other.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from mmpose.codecs import MegviiHeatmap, MSRAHeatmap, SimCCLabel, UDPHeatmap
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.models.heads import VisPredictHead
from mmpose.models.losses import KLDiscretLoss
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import Tensor, nn

from fpd_mmpose.errors import UserError

#: Heatmaps (N, K, h, w), or the logits of SimCC, (N, K, cells of x) and (N, K, cells
#: of y).
Output = Tensor | tuple[Tensor, Tensor]

#: Where cell i of a grid of n cells lies in an input of W pixels.
GRIDS = {
    'stride': 'i * W / n, as in MSRAHeatmap',
    'align_corners': 'i * (W - 1) / (n - 1), as in UDPHeatmap',
    'center': '(i + 0.5) * W / n, as in MegviiHeatmap',
}
#: The standard deviation, in cells, of most targets.
SIGMA = 2.0


@dataclass(frozen=True)
class Axis:
    """The cells of an output along x or y.

    The standard deviation of a target's peak is 0 if that is a single cell, or unknown.
    """

    size: int  # pixels of the input
    cells: int  # how many there are
    stride: float  # pixels from one cell to the next
    first: float = 0.0  # the pixel of the first cell
    sigma: float = 0.0  # the standard deviation of a target's peak in cells

    @classmethod
    def of_grid(cls, grid: str, size: int, cells: int, sigma: float = 0.0) -> 'Axis':
        """Lays one of the :data:`GRIDS` over an input."""
        stride = size / cells
        if grid == 'align_corners':
            stride = (size - 1) / (cells - 1)
        return cls(size, cells, stride, stride / 2 if grid == 'center' else 0.0, sigma)

    @property
    def spread(self) -> float:
        """Returns the standard deviation as a share of the input."""
        return self.sigma * self.stride / self.size

    def shares(self) -> np.ndarray:
        """Returns the positions of the cells as shares of the input."""
        return (self.first + self.stride * np.arange(self.cells)) / self.size

    def same_cells(self, other: 'Axis') -> bool:
        """Tells whether the cells are at the same shares of the input."""
        return self.cells == other.cells and bool(
            np.allclose(self.shares(), other.shares(), rtol=0, atol=1e-9)
        )


@dataclass(frozen=True)
class OutputFormat:
    """What the output of a head means."""

    simcc: bool  # whether it is SimCC's two vectors of logits, rather than heatmaps
    joints: int  # how many there are
    x: Axis  # from left to right
    y: Axis  # from top to bottom
    peak: float = 1.0  # the highest value of a target heatmap
    beta: float = 1.0  # SimCC's logits times beta are those of a softmax

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Returns both axes, x first."""
        return self.x, self.y

    def with_cells(self, x: Axis, y: Axis) -> 'OutputFormat':
        """Returns a format with other cells, and peaks as wide in the input."""
        return replace(
            self,
            x=replace(x, sigma=self.x.spread * x.size / x.stride),
            y=replace(y, sigma=self.y.spread * y.size / y.stride),
        )


def heatmap_format(
    joints: int,
    input_size: tuple[int, int],
    heatmap_size: tuple[int, int],
    grid: str = 'stride',
    peak: float = 1.0,
    sigma: float = SIGMA,
) -> OutputFormat:
    """Describes heatmaps, by default as most codecs make them; sizes are (w, h)."""
    x, y = (
        Axis.of_grid(grid, size, cells, sigma)
        for size, cells in zip(input_size, heatmap_size, strict=True)
    )
    return OutputFormat(False, joints, x, y, peak)


def pose_head(head: Any) -> Any:
    """Returns the head of the keypoints, within one that adds their visibility."""
    return head.pose_head if isinstance(head, VisPredictHead) else head


def mapped(function: Callable[..., Tensor], *outputs: Output) -> Output:
    """Applies a function to heatmaps, or to the vectors of x and then to those of y."""
    if isinstance(outputs[0], tuple):
        x, y = map(function, *outputs)
        return x, y
    return function(*outputs)


def as_stages(output: Any, owner: str) -> list:
    """Converts the output of a head to an :data:`Output` for each stage.

    The last stage is the head's final answer. ``owner`` names the network in errors.
    """
    if isinstance(output, Tensor):
        output = [output]
    if isinstance(output, (list, tuple)) and output:
        dimensions = [one.ndim if isinstance(one, Tensor) else None for one in output]
        if set(dimensions) == {4}:
            return list(output)
        if dimensions == [3, 3]:
            return [tuple(output)]
        if len(output) == 2 and dimensions[1] == 2:  # with visibilities
            return as_stages(output[0], owner)
    raise UserError(
        f'the head of {owner} returns no heatmaps of shape (N, K, H, W) and no SimCC '
        'vectors, and only these can be distilled: use an estimator with such a head'
    )


@contextmanager
def evaluated(network: nn.Module) -> Iterator[None]:
    """Puts a network in eval mode, and each of its layers back in its own."""
    modes = {module: module.training for module in network.modules()}
    network.train(False)
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def run_in_eval_mode(network: nn.Module, image: Tensor) -> Any:
    """Returns what a network computes without training, whatever its mode."""
    with evaluated(network):
        return network(image, None)


def describe_output(
    network: BasePoseEstimator,
    owner: str,
    size: tuple[int, int],
    output: Any,
    given: Mapping[str, Any] | None = None,
) -> OutputFormat:
    """Describes the output of a network for an image of a width and height.

    ``given`` are the ``grid``, ``scale``, and ``sigma`` of a codec that is not
    MMPose's.

    Raises:
        UserError: If the output cannot teach or learn; ``owner`` names the network.
    """
    if not getattr(network, 'with_head', False):
        raise UserError(f'{owner} has no head, so it returns no heatmaps')
    head = pose_head(network.head)
    codec = getattr(head, 'decoder', None)
    grid = None if given is None else _given_grid(given, owner)
    if grid is None:
        check_codec(codec, owner)
    stages = as_stages(output, owner)
    if isinstance(stages[-1], tuple):
        return _simcc(head, codec, stages[-1], size, owner)
    shapes = {tuple(one.shape[1:]) for one in stages}
    if len(shapes) > 1:
        raise UserError(
            f'the heatmaps of {owner} differ in shape between its stages '
            f'({", ".join(map(str, sorted(shapes)))}), and one target must suit all'
        )
    joints, height, width = shapes.pop()
    if grid is None:
        _check_size(codec, size, (width, height), owner)
        grid = _known_grid(codec)
    return heatmap_format(joints, size, (width, height), **grid)


def check_codec(codec: BaseKeypointCodec | None, owner: str) -> None:
    """Raises an error for a codec whose targets cannot be distilled, or are unknown."""
    advice = (
        'describe its heatmaps by `output=dict(grid=..., scale=...)`, where grid is '
        + ', '.join(f"'{name}' ({meaning})" for name, meaning in GRIDS.items())
        + ', and scale is the highest value of a target'
    )
    if codec is None:
        raise UserError(
            f'the head of {owner} has no codec: set its decoder, or {advice}'
        )
    name = type(codec).__name__
    known = (MSRAHeatmap, UDPHeatmap, MegviiHeatmap, SimCCLabel)
    own = type(codec).encode
    if isinstance(codec, UDPHeatmap) and codec.heatmap_type == 'combined':
        raise UserError(
            f'{owner} has combined targets (UDPHeatmap with heatmap_type="combined"), '
            'whose offsets cannot be distilled: use heatmap_type="gaussian"'
        )
    if isinstance(codec, known) and own.__module__.startswith(
        ('mmpose.', 'fpd_mmpose.')
    ):
        return
    if own.__module__.startswith('mmpose.'):
        raise UserError(
            f'{owner} has the codec {name}, and only heatmaps and SimCC vectors can be '
            'distilled: use a network with MSRAHeatmap, UDPHeatmap, MegviiHeatmap, '
            'FPDHeatmap, or SimCCLabel'
        )
    raise UserError(f'the codec {name} of {owner} is not known: {advice}')


def _given_grid(given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    if (
        not isinstance(given, Mapping)
        or not {'grid', 'scale'} <= set(given) <= {'grid', 'scale', 'sigma'}
        or given['grid'] not in GRIDS
        or not all(_positive(given[name]) for name in set(given) - {'grid'})
    ):
        raise UserError(
            f'output of {owner} must have a grid ({", ".join(GRIDS)}) and a positive '
            f'scale, and may have a sigma in cells; got {given!r}'
        )
    return dict(
        grid=given['grid'],
        peak=float(given['scale']),
        sigma=float(given.get('sigma', 0.0)),
    )


def _positive(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 < value < float('inf')


def _known_grid(codec: BaseKeypointCodec) -> dict[str, Any]:
    if isinstance(codec, UDPHeatmap):
        return dict(grid='align_corners', sigma=float(codec.sigma))
    if isinstance(codec, MegviiHeatmap):
        # The sigma that OpenCV takes for a kernel without one.
        sigma = 0.3 * ((codec.kernel_size - 1) * 0.5 - 1) + 0.8
        return dict(grid='center', peak=255.0, sigma=sigma)
    return dict(sigma=float(codec.sigma))


def _check_size(
    codec: BaseKeypointCodec,
    size: tuple[int, int],
    cells: tuple[int, int],
    owner: str,
) -> None:
    pairs = zip(size, cells, codec.input_size, codec.heatmap_size, strict=True)
    if any(pixels * ours != count * theirs for pixels, count, theirs, ours in pairs):
        raise UserError(
            f'the heatmaps of {owner} are {cells[0]} x {cells[1]} for an input of '
            f'{size[0]} x {size[1]} pixels, and its codec has '
            f'{" x ".join(map(str, codec.heatmap_size))} for '
            f'{" x ".join(map(str, codec.input_size))}: correct heatmap_size'
        )


def _simcc(
    head: nn.Module,
    codec: BaseKeypointCodec,
    vectors: tuple[Tensor, Tensor],
    size: tuple[int, int],
    owner: str,
) -> OutputFormat:
    if not isinstance(codec, SimCCLabel):
        raise UserError(
            f'{owner} returns SimCC vectors, but its codec is {type(codec).__name__}: '
            'use SimCCLabel'
        )
    loss = head.loss_module
    if not isinstance(loss, KLDiscretLoss):
        raise UserError(
            f'the loss of {owner} is {type(loss).__name__}, and SimCC vectors can be '
            'distilled only with KLDiscretLoss'
        )
    axes = []
    for pixels, vector, sigma in zip(size, vectors, codec.sigma, strict=True):
        width = float(sigma) if codec.smoothing_type == 'gaussian' else 0.0
        if width and loss.label_softmax:
            # The softmax of a Gaussian is nearly one too, and narrower.
            peak = 1 / (width * (2 * np.pi) ** 0.5) if codec.normalize else 1.0
            width /= (loss.label_beta * peak) ** 0.5
        stride = 1 / codec.simcc_split_ratio
        axes.append(Axis(pixels, vector.shape[2], stride, 0.0, width))
    x, y = axes
    return OutputFormat(True, vectors[0].shape[1], x, y, beta=float(loss.beta))
