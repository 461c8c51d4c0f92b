"""Tracing of networks to ONNX."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fpd_mmpose.errors import UserError
from fpd_mmpose.export import trace_to_onnx
from tests.helpers.export_data import run


class PoolLikeOther(nn.Module):
    """Pools to the size of another tensor, as Lite-HRNet does."""

    def forward(self, inputs: Tensor) -> Tensor:
        small = F.max_pool2d(inputs, 4)
        return F.adaptive_avg_pool2d(inputs, small.shape[-2:]) + small


def test_adaptive_pooling_becomes_plain_pooling(tmp_path: Path) -> None:
    adaptive = F.adaptive_avg_pool2d
    path = tmp_path / 'a.onnx'
    trace_to_onnx(PoolLikeOther(), torch.rand(1, 3, 16, 8), path, ['x'], ['y'])
    assert F.adaptive_avg_pool2d is adaptive
    inputs = torch.rand(4, 3, 16, 8)
    expected = PoolLikeOther()(inputs).numpy()
    np.testing.assert_allclose(run(path, inputs.numpy())['y'], expected, atol=1e-6)


def test_an_operator_that_onnx_lacks_is_an_error(tmp_path: Path) -> None:
    class Bessel(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return torch.special.bessel_j0(inputs)

    with pytest.raises(
        UserError, match='cannot be written as ONNX with opset 17: .*j0'
    ):
        trace_to_onnx(Bessel(), torch.rand(1), tmp_path / 'a.onnx', ['x'], ['y'])
