"""The logged accuracy equals MMPose's, without copying heatmaps to the CPU."""

import numpy as np
import pytest
import torch
from mmpose.evaluation.functional import pose_pck_accuracy as stock
from mmpose.models.heads.heatmap_heads import cpm_head, heatmap_head
from mmpose.registry import MODELS

from fpd_mmpose.device_accuracy import accuracy_on_device, pose_pck_accuracy


@pytest.mark.parametrize('size', [(16, 16), (24, 16)])
@pytest.mark.parametrize('shown', [0.0, 0.3, 1.0])
def test_it_is_mmposes_accuracy(size, shown):
    output = torch.randn(6, 5, *size)
    target = torch.roll(output, shifts=(0, 1), dims=(2, 3)) + torch.randn(6, 5, *size)
    output[0, 0] = -1  # no positive value
    mask = torch.rand(6, 5) < shown
    mask[:, 2] = False
    each, mean, count = pose_pck_accuracy(output, target, mask)
    wanted = stock(output.numpy(), target.numpy(), mask.numpy())
    np.testing.assert_allclose(each, wanted[0], atol=1e-6)
    assert mean.item() == pytest.approx(wanted[1], abs=1e-6)
    assert count.item() == wanted[2]


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_it_counts_pixels_exactly_in_half_precision(dtype):
    output, target = torch.zeros(2, 1, 1, 300, 300, dtype=dtype)
    target[..., 289] = 1
    output[..., 274] = 1  # 15 of 300 pixels off, which is not below 5%
    _, mean, count = pose_pck_accuracy(output, target, torch.ones(1, 1).bool())
    assert mean.item() == 0 and count.item() == 1


@pytest.mark.parametrize(
    ('module', 'head'),
    [
        (cpm_head, dict(type='CPMHead', in_channels=4, out_channels=4, num_stages=1)),
        (heatmap_head, dict(type='HeatmapHead', in_channels=4, out_channels=4)),
    ],
)
def test_heads_use_it_and_are_restored(module, head):
    built = MODELS.build(
        dict(head, loss=dict(type='KeypointMSELoss'), deconv_out_channels=None)
    )
    before = module.pose_pck_accuracy, module.to_numpy
    with pytest.raises(KeyError), accuracy_on_device(built):
        assert module.pose_pck_accuracy is pose_pck_accuracy
        raise KeyError
    assert (module.pose_pck_accuracy, module.to_numpy) == before
