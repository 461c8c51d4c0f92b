"""The size of a network and the work of one forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.analysis import FlopAnalyzer
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import Tensor, nn

#: Names under which mmengine counts convolutions and fully connected layers.
COUNTED = ('conv', 'linear', 'addmm')


@dataclass(frozen=True)
class Complexity:
    """What a network costs.

    Attributes:
        params (int): Parameters.
        macs (int): Multiply-accumulates of convolutions and fully connected layers
            for one image.
    """

    params: int
    macs: int

    @property
    def gflops_reference(self) -> float:
        """The reference's GFLOPs: a MAC counts once, and a giga is 1024 ** 3."""
        return self.macs / 1024**3


def count(model: nn.Module, input_size: Sequence[int]) -> Complexity:
    """Counts parameters and multiply-accumulates, as the reference does.

    The operators are mmengine's count; of them only convolutions and fully connected
    layers are added up, without bias, normalisation, upsampling and the products
    inside attention. A transposed convolution counts its whole kernel once for each
    pixel of its *input*.

    Args:
        model (nn.Module): A pose estimator of MMPose, or a network that takes images
            alone.
        input_size (Sequence[int]): Width and height, as in a codec.

    Returns:
        Complexity: For one image.
    """
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    was_training = model.training
    model.train(False)
    try:
        with torch.no_grad():
            analyzer = FlopAnalyzer(_ImagesAlone(model), (image,))
            # It would name the operators that it knows no cost of.
            analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            operators = analyzer.by_operator()
    finally:
        model.train(was_training)
    return Complexity(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs=int(sum(operators[name] for name in COUNTED)),
    )


class _ImagesAlone(nn.Module):
    """A pose estimator wants annotations too, which tracing cannot pass."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        if isinstance(self.model, BasePoseEstimator):
            return self.model(image, None)
        return self.model(image)
