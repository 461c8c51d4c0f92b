"""Decoding between pixels inside the graph; see ``fpd_mmpose.decoding.dark``."""

import torch
from torch import Tensor, nn

from fpd_mmpose.decoding.dark import DARK_FLOOR, UDP_EPSILON, UDP_RANGE
from fpd_mmpose.decoding.simcc import SIMCC_EPSILON
from fpd_mmpose.decoding.smoothing import blur_matrix
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.pixels import Smooth, find_peaks, scaled_to_maxima


class Dark(nn.Module):
    """Decodes as ``MSRAHeatmap(unbiased=True)`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooth = Smooth(info)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(heatmaps)
        at = peaks.on(self.smooth(heatmaps).clamp(min=DARK_FLOOR).log()).value
        slopes = 0.5 * (at(1, 0) - at(-1, 0)), 0.5 * (at(0, 1) - at(0, -1))
        curvatures = (
            0.25 * (at(2, 0) - 2 * at(0, 0) + at(-2, 0)),
            0.25 * (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)),
            0.25 * (at(0, 2) - 2 * at(0, 0) + at(0, -2)),
        )
        x, y = peaks.x, peaks.y
        inner = (x > 1) & (x < peaks.width - 2) & (y > 1) & (y < peaks.height - 2)
        moves = torch.where(inner & peaks.found, _to_top(slopes, curvatures), 0.0)
        return peaks.pixels(-1.0) + moves, peaks.scores


class Udp(nn.Module):
    """Decodes as ``UDPHeatmap`` does."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.smooth = Smooth(info)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints in their pixels, and scores."""
        peaks = find_peaks(heatmaps)
        at = peaks.on(self.smooth(heatmaps).clamp(*UDP_RANGE).log()).value
        center, right, left = at(0, 0), at(1, 0), at(-1, 0)
        below, above = at(0, 1), at(0, -1)
        slopes = 0.5 * (right - left), 0.5 * (below - above)
        mixed = at(1, 1) - right - below + 2 * center - left - above + at(-1, -1)
        curvatures = (
            right - 2 * center + left + UDP_EPSILON,
            0.5 * mixed,
            below - 2 * center + above + UDP_EPSILON,
        )
        moves = torch.where(peaks.found, _to_top(slopes, curvatures), 0.0)
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


def _to_top(
    slopes: tuple[Tensor, Tensor], curvatures: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """Returns the ways (N, K, 2) to the tops of parabolas; (0, 0) for flat ones."""
    (dx, dy), (dxx, dxy, dyy) = slopes, curvatures
    determinant = dxx * dyy - dxy * dxy
    moves = torch.cat([dxy * dy - dyy * dx, dxy * dx - dxx * dy], dim=2)
    flat = determinant == 0
    return torch.where(flat, 0.0, moves / torch.where(flat, 1.0, determinant))
