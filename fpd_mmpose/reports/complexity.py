"""The size of a network and the work of one forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from fpd_mmpose.teachers.output_format import evaluated


@dataclass(frozen=True)
class Complexity:
    """The parameters of a network, and its multiply-accumulates for one image."""

    params: int
    macs: int

    @property
    def gflops_reference(self) -> float:
        """The reference's GFLOPs: a MAC counts once, and a giga is 1024 ** 3."""
        return self.macs / 1024**3


def count(model: nn.Module, input_size: Sequence[int]) -> Complexity:
    """Counts parameters and multiply-accumulates as the reference does.

    ``input_size`` is (width, height), as in a codec. Convolutions, fully connected
    layers, and products of matrices (attention) count, without biases. A transposed
    convolution counts its whole kernel once per pixel of its *input*.
    """
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    arguments = (image, None) if isinstance(model, BasePoseEstimator) else (image,)
    # The counter does not know PyTorch's fused attention on the CPU.
    with (
        FlopCounterMode(display=False) as counter,
        sdpa_kernel(SDPBackend.MATH),
        evaluated(model),
    ):
        model(*arguments)
    return Complexity(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs=counter.get_total_flops() // 2,
    )
