"""Converts the student's input to the teacher's."""

import torch
import torch.nn.functional as F
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from torch import Tensor, nn


class InputAdapter(nn.Module):
    """Converts images (N, 3, H, W) normalized for the student to those for the teacher.

    Each network has its own mean, standard deviation, and channel order, and ``size``,
    a width and height, if the teacher's input differs in size. If all agree, the input
    is returned unchanged.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        student: PoseDataPreprocessor,
        teacher: PoseDataPreprocessor,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        mean, std, swapped = _normalization(student)
        teacher_mean, teacher_std, teacher_swapped = _normalization(teacher)
        self.swap = swapped != teacher_swapped
        if self.swap:
            mean, std = mean.flip(0), std.flip(0)
        self.same_scale = torch.equal(mean, teacher_mean) and torch.equal(
            std, teacher_std
        )
        self.register_buffer('scale', std / teacher_std)
        self.register_buffer('shift', (mean - teacher_mean) / teacher_std)

    def forward(self, inputs: Tensor) -> Tensor:
        """Converts a batch."""
        if self.size is not None:
            inputs = _resized(inputs, self.size)
        if self.swap:
            inputs = inputs.flip(1)
        if self.same_scale:
            return inputs
        return inputs * self.scale + self.shift


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes images as a crop of another size: pixel i becomes pixel i * ratio."""
    axes = []
    for wanted, present in zip(size, images.shape[:1:-1], strict=True):
        pixels = torch.arange(wanted, device=images.device, dtype=images.dtype)
        axes.append(pixels * (present / wanted) * 2 / (present - 1) - 1)
    grid = torch.stack(torch.meshgrid(*axes, indexing='xy'), dim=-1)
    grid = grid.expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grid, padding_mode='border', align_corners=True)


def _normalization(preprocessor: PoseDataPreprocessor) -> tuple[Tensor, Tensor, bool]:
    if getattr(preprocessor, '_enable_normalize', False):
        mean, std = preprocessor.mean.cpu(), preprocessor.std.cpu()
    else:
        mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    return mean, std, getattr(preprocessor, '_channel_conversion', False)
