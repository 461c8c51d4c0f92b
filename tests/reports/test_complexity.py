"""Parameters and multiply-accumulates match those of the reference."""

import pytest
from mmpose.registry import MODELS
from torch import nn

from fpd_mmpose.config import load_config
from fpd_mmpose.reports.complexity import count


@pytest.mark.parametrize(
    'config, size, params, macs, gflops',
    [
        (
            'hourglass/hg4_128_mpii.py',
            (256, 256),
            3_287_936,
            3_907_256_320,
            '3.639',
        ),
        (
            'hrnet/hrnet_w32_coco_256x192.py',
            (192, 256),
            28_536_113,
            7_645_003_776,
            '7.120',
        ),
    ],
)
def test_figures_of_the_reference(config, size, params, macs, gflops):
    complexity = count(MODELS.build(load_config(config).model), size)
    assert (complexity.params, complexity.macs) == (params, macs)
    assert f'{complexity.gflops_reference:.3f}' == gflops


def test_only_convolutions_and_linear_layers_count():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=True),  # 8 x 4 pixels
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, groups=2),  # to 16 x 8
        nn.Upsample(scale_factor=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    ).train()
    convolution = 4 * 3 * 9 * (8 * 4)
    transposed = 4 * (6 // 2) * 16 * (8 * 4)  # once per pixel of its input
    complexity = count(model, (8, 16))
    assert complexity.macs == convolution + transposed + 6 * 5
    assert complexity.params == sum(p.numel() for p in model.parameters())
    assert model.training, 'the mode is restored'
    assert model[1].num_batches_tracked == 0
