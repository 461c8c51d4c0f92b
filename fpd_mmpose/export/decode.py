"""Decoding inside the graph; see :mod:`fpd_mmpose.decoding`."""

import numpy as np
import torch
from torch import Tensor, nn

from fpd_mmpose.decoding import DARK, OFFSETS
from fpd_mmpose.decoding.dark import DARK_FLOOR, UDP_RANGE, dark_parabola, udp_parabola
from fpd_mmpose.decoding.simcc import SIMCC_EPSILON
from fpd_mmpose.decoding.smoothing import blur_matrix
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.pixels import Peaks, Smooth, find_peaks, scaled_to_maxima


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


class _Smoothing(nn.Module):
    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooth = Smooth(info)


class Megvii(_Smoothing):
    """Decodes as ``MegviiHeatmap`` does."""

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(self.smooth(heatmaps))
        inner_x, inner_y = _inner(peaks)
        inner = inner_x & inner_y & peaks.found
        moves = _quarters(peaks, inner, inner)
        moves = moves + torch.where(inner, 0.5, 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores / 255 + 0.5


class Dark(_Smoothing):
    """Decodes as ``MSRAHeatmap(unbiased=True)`` does."""

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(heatmaps)
        at = peaks.on(self.smooth(heatmaps).clamp(min=DARK_FLOOR).log()).value
        x, y = peaks.x, peaks.y
        inner = (x > 1) & (x < peaks.width - 2) & (y > 1) & (y < peaks.height - 2)
        moves = torch.where(inner & peaks.found, _to_top(*dark_parabola(at)), 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores


class Udp(_Smoothing):
    """Decodes as ``UDPHeatmap`` does."""

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(heatmaps)
        at = peaks.on(self.smooth(heatmaps).clamp(*UDP_RANGE).log()).value
        moves = torch.where(peaks.found, _to_top(*udp_parabola(at)), 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores


class Offsets(nn.Module):
    """Decodes as ``UDPHeatmap(heatmap_type='combined')`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooth = Smooth(info, mirrored=True)
        assert info.offset_radius is not None
        self.radius = info.offset_radius

    def forward(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Maps outputs (N, 3K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(self.smooth(outputs[:, ::3]))
        offsets = [peaks.on(outputs[:, axis::3]).value(0, 0) for axis in (1, 2)]
        moves = torch.cat(offsets, dim=2) * self.radius
        moves = torch.where(peaks.found, moves, 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores


class Simcc(nn.Module):
    """Decodes as ``SimCCLabel`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooths = info.blur_kernel is not None
        if info.blur_kernel is not None:
            sizes = zip(info.heatmap_size, info.blur_kernel, strict=True)
            for axis, (size, kernel) in enumerate(sizes):
                matrix = torch.from_numpy(blur_matrix(size, kernel).copy())
                self.register_buffer(f'blur_{axis}', matrix)

    def forward(self, simcc_x: Tensor, simcc_y: Tensor) -> tuple[Tensor, Tensor]:
        """Maps vectors (N, K, Wx) and (N, K, Wy) to keypoints in bins, and scores."""
        both = simcc_x, simcc_y
        best = [vectors.argmax(dim=2, keepdim=True) for vectors in both]
        highest = [v.gather(2, at) for v, at in zip(both, best, strict=True)]
        scores = torch.minimum(*highest)
        keypoints = torch.cat(best, dim=2).to(simcc_x.dtype)
        if self.smooths:
            moves = [
                self._to_top(vectors, places, self.get_buffer(f'blur_{axis}'))
                for axis, (vectors, places) in enumerate(zip(both, best, strict=True))
            ]
            keypoints = keypoints + torch.cat(moves, dim=2)
        return torch.where(scores > 0, keypoints, -1.0), scores.squeeze(2)

    def _to_top(self, vectors: Tensor, peaks: Tensor, blur: Tensor) -> Tensor:
        smooth = scaled_to_maxima(vectors @ blur.T, vectors, (2,))
        logs = smooth.clamp(*UDP_RANGE).log()
        last = int(vectors.shape[2]) - 1

        def at(step: int) -> Tensor:
            return logs.gather(2, (peaks + step).clamp(0, last))

        slope = 0.5 * (at(1) - at(-1))
        return -slope / (SIMCC_EPSILON + 0.25 * (at(2) - 2 * at(0) + at(-2)))


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


def _to_top(
    slopes: tuple[Tensor, Tensor], curvatures: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """Returns the ways (N, K, 2) to the tops of parabolas; (0, 0) for flat ones."""
    (dx, dy), (dxx, dxy, dyy) = slopes, curvatures
    determinant = dxx * dyy - dxy * dxy
    moves = torch.cat([dxy * dy - dyy * dx, dxy * dx - dxx * dy], dim=2)
    flat = determinant == 0
    return torch.where(flat, 0.0, moves / torch.where(flat, 1.0, determinant))
