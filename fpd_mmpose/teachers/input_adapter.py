"""The student's input, as the teacher expects it."""

import torch
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from torch import Tensor, nn


class InputAdapter(nn.Module):
    """Turns images normalised for the student into images for the teacher.

    Both see the same pixels, each with its own mean, standard deviation and channel
    order. Where these agree the input passes unchanged, to the bit.

    Args:
        student (PoseDataPreprocessor): What prepared the input.
        teacher (PoseDataPreprocessor): What the teacher was trained with.
    """

    def __init__(self, student: PoseDataPreprocessor, teacher: PoseDataPreprocessor):
        super().__init__()
        mean, std, swapped = _normalisation(student)
        teacher_mean, teacher_std, teacher_swapped = _normalisation(teacher)
        self.swap = swapped != teacher_swapped
        if self.swap:
            mean, std = mean.flip(0), std.flip(0)
        self.same_scale = torch.equal(mean, teacher_mean) and torch.equal(
            std, teacher_std
        )
        self.register_buffer('scale', std / teacher_std)
        self.register_buffer('shift', (mean - teacher_mean) / teacher_std)

    def forward(self, inputs: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to the same shape.

        Args:
            inputs (Tensor): Images normalised for the student.

        Returns:
            Tensor: The same images, normalised for the teacher.
        """
        if self.swap:
            inputs = inputs.flip(1)
        if self.same_scale:
            return inputs
        return inputs * self.scale + self.shift


def _normalisation(preprocessor: nn.Module) -> tuple[Tensor, Tensor, bool]:
    if getattr(preprocessor, '_enable_normalize', False):
        mean, std = preprocessor.mean.cpu(), preprocessor.std.cpu()
    else:
        mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    return mean, std, getattr(preprocessor, '_channel_conversion', False)
