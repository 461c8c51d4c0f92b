"""The size of a network and the work of one forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.analysis import FlopAnalyzer
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import Tensor, nn

# MMEngine's names of convolutions and fully connected layers.
_COUNTED = ('conv', 'linear', 'addmm')


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

    ``input_size`` is (width, height), as in a codec. Only convolutions and fully
    connected layers count, without their bias. A transposed convolution counts its
    whole kernel once per pixel of its *input*.
    """
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    was_training = model.training
    model.train(False)
    try:
        with torch.no_grad():
            analyzer = FlopAnalyzer(_ImageOnly(model), (image,))
            # Silent about operators whose cost it does not know.
            analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            operators = analyzer.by_operator()
    finally:
        model.train(was_training)
    return Complexity(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs=int(sum(operators[name] for name in _COUNTED)),
    )


class _ImageOnly(nn.Module):
    """Calls a pose estimator without annotations, which tracing cannot pass."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        if isinstance(self.model, BasePoseEstimator):
            return self.model(image, None)
        return self.model(image)
