"""Decoding inside the graph."""

import numpy as np
import torch
from torch import Tensor, nn

from fpd_mmpose.decoding import DARK, OFFSETS
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.parabolas import Dark, Offsets, Simcc, Udp
from fpd_mmpose.export.pixels import Peaks, Smooth, find_peaks


class Decode(nn.Module):
    """Decodes as the codec of ``info`` does."""

    pixel: Tensor

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.find = _FINDERS[info.codec](info)
        self.register_buffer('pixel', torch.from_numpy(np.array(info.pixel, 'float32')))

    def forward(self, *maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps ``info.maps`` to keypoints (N, K, 2) in input pixels, and scores (N, K).

        Where no value is positive, the keypoint is where the codec puts it.
        """
        keypoints, scores = self.find(*maps)
        return keypoints * self.pixel, scores


class Quarter(nn.Module):
    """Moves maxima a quarter pixel, as ``FPDHeatmap`` or ``MSRAHeatmap`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.is_fpd = info.codec == 'FPDHeatmap'
        self.empty = 0.0 if self.is_fpd else -1.0

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(heatmaps)
        x, y, found = peaks.x, peaks.y, peaks.found
        inner_x, inner_y = _inner(peaks)
        if self.is_fpd:
            inner_x = inner_y = inner_x & inner_y & found
        else:
            inner_x, inner_y = inner_x & (y > 0) & found, inner_y & (x > 0) & found
        moves = _quarters(peaks, inner_x, inner_y)
        return peaks.pixels(self.empty) + moves, peaks.scores


class Megvii(nn.Module):
    """Decodes as ``MegviiHeatmap`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooth = Smooth(info)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(self.smooth(heatmaps))
        inner_x, inner_y = _inner(peaks)
        inner = inner_x & inner_y & peaks.found
        moves = _quarters(peaks, inner, inner)
        moves = moves + torch.where(inner, 0.5, 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores / 255 + 0.5


_FINDERS = {
    'FPDHeatmap': Quarter,
    'MSRAHeatmap': Quarter,
    DARK: Dark,
    'UDPHeatmap': Udp,
    OFFSETS: Offsets,
    'MegviiHeatmap': Megvii,
    'SimCCLabel': Simcc,
}


def _inner(peaks: Peaks) -> tuple[Tensor, Tensor]:
    x, y = peaks.x, peaks.y
    return (x > 1) & (x < peaks.width - 1), (y > 1) & (y < peaks.height - 1)


def _quarters(peaks: Peaks, along_x: Tensor, along_y: Tensor) -> Tensor:
    slopes = (
        (along_x, peaks.value(1, 0) - peaks.value(-1, 0)),
        (along_y, peaks.value(0, 1) - peaks.value(0, -1)),
    )
    moves = [torch.where(inner, slope.sign() * 0.25, 0.0) for inner, slope in slopes]
    return torch.cat(moves, dim=2)
