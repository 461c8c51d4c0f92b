"""Smoothing and maxima of heatmaps inside the graph."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fpd_mmpose.decoding.smoothing import blur_matrix
from fpd_mmpose.deploy.model_info import ModelInfo


class Peaks(NamedTuple):
    """The maxima of heatmaps, with the shape (N, K, 1) each.

    ``flat`` are the values of the heatmaps, (N, K, h * w).
    """

    flat: Tensor
    x: Tensor
    y: Tensor
    highest: Tensor
    width: int
    height: int

    @property
    def found(self) -> Tensor:
        """Whether the maximum is positive."""
        return self.highest > 0

    @property
    def scores(self) -> Tensor:
        """The maxima, (N, K)."""
        return self.highest.squeeze(2)

    def pixels(self, empty: float) -> Tensor:
        """Returns keypoints (N, K, 2), which are ``empty`` where none is found."""
        pixels = torch.cat([self.x, self.y], dim=2).to(self.flat.dtype)
        return torch.where(self.found, pixels, empty)

    def value(self, right: int, down: int) -> Tensor:
        """Returns the values beside the maxima, or those of the closest pixels."""
        x = (self.x + right).clamp(0, self.width - 1)
        y = (self.y + down).clamp(0, self.height - 1)
        return self.flat.gather(2, y * self.width + x)

    def on(self, heatmaps: Tensor) -> 'Peaks':
        """Returns the same places on other heatmaps (N, K, h, w)."""
        return self._replace(flat=heatmaps.flatten(2))


def find_peaks(heatmaps: Tensor) -> Peaks:
    """Finds the maxima of heatmaps (N, K, h, w)."""
    # Constants for the tracer, which would otherwise compute them in the graph.
    width, height = int(heatmaps.shape[3]), int(heatmaps.shape[2])
    flat = heatmaps.reshape(-1, int(heatmaps.shape[1]), width * height)
    # Of equal values, ONNX guarantees the first, as NumPy does; PyTorch does not.
    best = flat.argmax(dim=2, keepdim=True)
    return Peaks(flat, best % width, best // width, flat.gather(2, best), width, height)


class Smooth(nn.Module):
    """Smooths heatmaps as ``fpd_mmpose.decoding.smoothing`` does.

    Beyond the border are mirrored pixels, or zeros; in the second case the maxima are
    kept.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, info: ModelInfo, mirrored: bool = False) -> None:
        super().__init__()
        assert info.blur_kernel is not None
        self.mirrored = mirrored
        width, height = info.heatmap_size
        for name, size, kernel in (
            ('columns', width, info.blur_kernel[0]),
            ('rows', height, info.blur_kernel[1]),
        ):
            matrix = torch.from_numpy(blur_matrix(size, kernel, mirrored).copy())
            self.register_buffer(name, matrix)

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Maps (N, K, h, w) to the same shape."""
        blurred = self.rows @ heatmaps @ self.columns.T
        if self.mirrored:
            return blurred
        return scaled_to_maxima(blurred, heatmaps, (2, 3))


def scaled_to_maxima(
    blurred: Tensor, original: Tensor, axes: tuple[int, ...]
) -> Tensor:
    """Scales what was smoothed to its original maxima; empty maps become zeros."""
    before = original.amax(dim=axes, keepdim=True)
    after = blurred.amax(dim=axes, keepdim=True)
    factor = before / torch.where(after == 0, 1.0, after)
    return blurred * torch.where(after == 0, 0.0, factor)
