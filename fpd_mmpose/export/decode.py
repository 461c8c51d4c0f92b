"""Decoding of heatmaps inside the graph."""

import torch
from torch import Tensor, nn

from fpd_mmpose.deploy.model_info import ModelInfo


class Decode(nn.Module):
    """Decodes heatmaps exactly as ``FPDHeatmap`` or ``MSRAHeatmap`` does."""

    scale: Tensor

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.is_fpd = info.codec == 'FPDHeatmap'
        self.width, self.height = info.heatmap_size
        scale = torch.tensor(info.input_size) / torch.tensor(info.heatmap_size)
        self.register_buffer('scale', scale.float())

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps heatmaps (N, K, h, w) to keypoints (N, K, 2) and scores (N, K).

        Keypoints are in input pixels: the maxima, moved a quarter of a heatmap pixel
        toward their higher neighbors.
        """
        width, height = self.width, self.height
        flat = heatmaps.reshape(-1, int(heatmaps.shape[1]), width * height)
        # Of equal values, ONNX guarantees the first, as NumPy does; PyTorch does not.
        best = flat.argmax(dim=2, keepdim=True)
        scores = flat.gather(2, best)
        x, y = best % width, best // width
        found = scores > 0

        inner_x = (x > 1) & (x < width - 1)
        inner_y = (y > 1) & (y < height - 1)
        if self.is_fpd:
            inner_x = inner_y = inner_x & inner_y & found
            empty = 0.0
        else:
            inner_x, inner_y = inner_x & (y > 0) & found, inner_y & (x > 0) & found
            empty = -1.0

        last = width * height - 1
        shifts = []
        for inner, step in ((inner_x, 1), (inner_y, width)):
            # Clamping affects only values that are not used.
            above = flat.gather(2, (best + step).clamp(max=last))
            below = flat.gather(2, (best - step).clamp(min=0))
            shifts.append(torch.where(inner, (above - below).sign() * 0.25, 0.0))
        pixels = torch.cat([x, y], dim=2).to(heatmaps.dtype)
        pixels = torch.where(found, pixels, empty) + torch.cat(shifts, dim=2)
        return pixels * self.scale, scores.squeeze(2)
