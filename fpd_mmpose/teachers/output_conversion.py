"""Brings a teacher's output to the form of a student's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fpd_mmpose.teachers.output_format import Axis, Output, OutputFormat, mapped
from fpd_mmpose.teachers.recording import select_rows

#: Peaks whose widths differ by less are taken as equal.
SAME_WIDTH = 0.05
#: The smallest share of the highest value that a logarithm sees.
_FLOOR = 1e-6


@dataclass(frozen=True)
class Taught:
    """What a teacher says of a batch.

    The values are heatmaps, or the probabilities of SimCC's cells, in the student's
    form. The confidence, which is computed when it is called, is the height of the
    teacher's peaks, (N, K), where 1 is that of a target.
    """

    values: Output
    confidence: Callable[[], Tensor]

    def rows(self, rows: slice | Tensor) -> 'Taught':
        """Selects samples of the batch."""
        return Taught(select_rows(self.values, rows), lambda: self.confidence()[rows])

    def clone(self) -> 'Taught':
        """Copies the values, for autograd to keep."""
        return Taught(mapped(Tensor.clone, self.values), self.confidence)


class Conversion:
    """Converts outputs of one format to targets in another.

    The target of a perfect teacher is that of the student's own codec: cells are
    resampled to the student's grid, peaks get its height and its width. Formats that
    agree leave the values as they are, except that logits become probabilities.

    Heatmaps become SimCC vectors by their marginals, resampled as logarithms, which are
    parabolas near a peak. SimCC vectors become heatmaps by their outer product.
    """

    def __init__(self, source: OutputFormat, wanted: OutputFormat) -> None:
        self.source = source
        self.wanted = wanted
        pairs = list(zip(source.axes, wanted.axes, strict=True))
        self._powers = [_power(*pair) for pair in pairs]
        self._same_cells = all(one.same_cells(other) for one, other in pairs)
        self._matrices: dict[tuple[torch.device, Callable], tuple[Tensor, ...]] = {}
        self._convert = {
            (False, False): self._heatmaps,
            (True, True): self._vectors,
            (False, True): self._marginals,
            (True, False): self._product,
        }[source.simcc, wanted.simcc]

    def __call__(self, values: Output) -> Taught:
        """Converts heatmaps or SimCC logits with the student's joints."""
        one = values if isinstance(values, Tensor) else values[0]
        # The student's autocast must not reach the targets.
        with torch.autocast(one.device.type, enabled=False):
            return self._convert(values)

    def _heatmaps(self, values: Output) -> Taught:
        assert isinstance(values, Tensor)
        factor = self.wanted.peak / self.source.peak
        if not self._same_cells or min(self._powers) < 1:
            across, down = self._on(values.device, _heatmap_matrix)
            values = down @ values @ across.T
        if max(self._powers) > 1:
            highest = values.amax((2, 3), keepdim=True).clamp(min=_FLOOR)
            values = highest * (values.clamp(min=0) / highest) ** max(self._powers)
        if factor != 1:
            values = values * factor
        peak = self.wanted.peak
        return Taught(values, lambda: values.amax((2, 3)).clamp(min=0) / peak)

    def _vectors(self, values: Output) -> Taught:
        logs = [(one * self.source.beta).log_softmax(2) for one in values]
        return self._densities(logs, None)

    def _marginals(self, values: Output) -> Taught:
        assert isinstance(values, Tensor)
        positive = values.clamp(min=0)
        logs = []
        for dim in (2, 3):
            marginal = positive.sum(dim)
            floor = marginal.amax(2, keepdim=True).clamp(min=_FLOOR) * _FLOOR
            logs.append((marginal + floor).log())
        peak = self.source.peak
        return self._densities(logs, lambda: positive.amax((2, 3)) / peak)

    def _densities(
        self, logs: list[Tensor], confidence: Callable[[], Tensor] | None
    ) -> Taught:
        """Resamples log densities, and corrects their widths."""
        if not self._same_cells:
            resampled = self._on(logs[0].device, resampling_matrix)
            logs = [one @ matrix.T for one, matrix in zip(logs, resampled, strict=True)]
        x, y = (
            (one * max(power, 1.0)).softmax(2)
            for one, power in zip(logs, self._powers, strict=True)
        )
        if min(self._powers) < 1:
            across, down = self._on(x.device, _spreading_matrix)
            x, y = x @ across.T, y @ down.T
        if confidence is None:
            # The highest probability of a target.
            tops = [
                1 / (axis.sigma * (2 * np.pi) ** 0.5) if axis.sigma > 0.5 else 1.0
                for axis in self.wanted.axes
            ]

            def confidence() -> Tensor:
                found = [
                    one.amax(2) / top for one, top in zip((x, y), tops, strict=True)
                ]
                return torch.minimum(*found)

        return Taught((x, y), confidence)

    def _product(self, values: Output) -> Taught:
        x, y = ((one * self.source.beta).softmax(2) for one in values)
        across, down = self._on(x.device, _blob_matrix)
        x, y = x @ across.T, y @ down.T
        peak = self.wanted.peak
        heatmaps = y[..., :, None] * x[..., None, :] * peak
        return Taught(heatmaps, lambda: heatmaps.amax((2, 3)) / peak)

    def _on(
        self, device: torch.device, make: Callable[[Axis, Axis], np.ndarray]
    ) -> tuple[Tensor, ...]:
        """Returns a matrix for x and one for y on a device."""
        key = (device, make)
        if key not in self._matrices:
            # Ordinary tensors, although the first call may come in inference mode.
            with torch.inference_mode(False):
                self._matrices[key] = tuple(
                    torch.tensor(make(*pair), dtype=torch.float32, device=device)
                    for pair in zip(self.source.axes, self.wanted.axes, strict=True)
                )
        return self._matrices[key]


def resampling_matrix(source: Axis, wanted: Axis) -> np.ndarray:
    """Interpolates cubically (Catmull-Rom) at the cells of another axis, (n', n).

    Values beyond the outer cells are those of the cells.
    """
    place = (wanted.shares() * source.size - source.first) / source.stride
    left = np.floor(place).astype(int)
    t = place - left
    weights = (
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    )
    matrix = np.zeros((wanted.cells, source.cells))
    rows = np.arange(wanted.cells)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        columns = (left + offset).clip(0, source.cells - 1)
        np.add.at(matrix, (rows, columns), weight)
    return matrix


def _power(source: Axis, wanted: Axis) -> float:
    """Returns the power that makes a Gaussian as narrow as wanted; 1 if it is.

    Below 1 it is too narrow.
    """
    if not source.sigma or not wanted.sigma:
        return 1.0
    ratio = source.spread / wanted.spread
    return 1.0 if abs(ratio - 1) < SAME_WIDTH else ratio**2


def _gaussian(distances: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-(distances**2) / (2 * sigma**2))


def _heatmap_matrix(source: Axis, wanted: Axis) -> np.ndarray:
    """Resamples, and widens peaks that are too narrow without lowering them."""
    matrix = resampling_matrix(source, wanted)
    power = _power(source, wanted)
    if power >= 1:
        return matrix
    cells = np.arange(source.cells)
    added = source.sigma * (1 / power - 1) ** 0.5
    blur = _gaussian(cells[:, None] - cells, added)
    return matrix @ (blur / blur.sum(1, keepdims=True)) / power**0.5


def _spreading_matrix(source: Axis, wanted: Axis) -> np.ndarray:
    """Widens densities on the wanted axis; each column keeps its sum."""
    power = _power(source, wanted)
    if power >= 1:
        return np.eye(wanted.cells)
    cells = np.arange(wanted.cells)
    added = wanted.sigma * (1 - power) ** 0.5
    blur = _gaussian(cells[:, None] - cells, added)
    return blur / blur.sum(0, keepdims=True)


def _blob_matrix(source: Axis, wanted: Axis) -> np.ndarray:
    """Makes the profile of a peak, 1 high for a perfect density, from a density."""
    wide = wanted.spread or source.spread or 1 / wanted.cells
    narrow = min(source.spread, 0.95 * wide)
    added = (wide**2 - narrow**2) ** 0.5
    profile = _gaussian(wanted.shares()[:, None] - source.shares(), added)
    return profile * (wide / added)
