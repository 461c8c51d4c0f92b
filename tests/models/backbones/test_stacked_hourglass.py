"""The stacked hourglass: its numbers, sizes, initialization, and gradients."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from torch import nn

from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights import read_state_dict
from tests.helpers import ROOT
from tests.helpers.rounding import assert_same

DATA = ROOT / 'tests' / 'data'


def check_against_reference(numbers: Path, weights: Path) -> None:
    expected = np.load(numbers)
    sizes = {
        name: int(expected[name])
        for name in ('num_stacks', 'num_features', 'num_blocks', 'num_joints')
    }
    network = StackedHourglass(**sizes).eval()
    network.load_state_dict(
        {
            name.removeprefix('backbone.'): value
            for name, value in read_state_dict(weights).items()
        },
        strict=True,
    )
    with torch.no_grad():
        found = network(torch.from_numpy(expected['input']))
    assert isinstance(found, tuple) and len(found) == sizes['num_stacks']
    assert_same(torch.stack(found), expected['heatmaps'])


def test_converted_weights_give_the_references_heatmaps():
    check_against_reference(DATA / 'hourglass_a.npz', DATA / 'hourglass_a.pth')


def test_other_sizes_give_the_references_heatmaps_too(shared):
    folder = shared / 'reference'
    check_against_reference(
        folder / 'hourglass_b.npz', folder / 'hourglass_b_checkpoint.pth'
    )


@pytest.mark.parametrize(
    'stacks, features, parameters, entries',
    [
        (8, 256, 25_594_624, 2526),
        (4, 256, 13_018_816, None),
        (4, 128, 3_287_936, 1298),
        (8, 128, 6_462_912, None),
        (2, 128, 1_700_448, None),
        (1, 128, 906_704, 377),
    ],
)
def test_networks_have_the_size_of_the_references(
    stacks, features, parameters, entries
):
    with torch.device('meta'):
        network = StackedHourglass(stacks, features)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert entries in (None, len(network.state_dict()))


def test_the_student_is_the_default():
    assert repr(StackedHourglass()) == repr(StackedHourglass(4, 128, 1, 16))


@pytest.mark.parametrize('height, width', [(64, 64), (128, 64), (64, 192), (256, 192)])
def test_each_stack_gives_a_heatmap_of_a_quarter_of_the_input(height, width):
    network = StackedHourglass(3, 8, num_joints=5).eval()
    heatmaps = network(torch.rand(2, 3, height, width))
    assert [tuple(maps.shape) for maps in heatmaps] == [
        (2, 5, height // 4, width // 4)
    ] * 3


@pytest.mark.parametrize('height, width', [(64, 96), (224, 256), (65, 64), (32, 32)])
def test_input_sizes_that_are_not_divisible_by_64_are_an_error(height, width):
    with pytest.raises(
        ValueError, match=rf'divisible by 64, got {height} x {width}: change input_size'
    ):
        StackedHourglass(1, 8)(torch.rand(1, 3, height, width))


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(num_stacks=0), 'whole numbers of at least 1, got 0, 128, 1, 16'),
        (dict(num_features=0), 'at least 1, got 4, 0, 1, 16'),
        (dict(num_features=-4), 'at least 1, got 4, -4, 1, 16'),
        (dict(num_blocks=0), 'at least 1, got 4, 128, 0, 16'),
        (dict(num_joints=0), 'at least 1, got 4, 128, 1, 0'),
        (dict(num_stacks='4'), "at least 1, got '4', 128, 1, 16"),
        (dict(num_features=30), 'num_features to be a multiple of 4, got 30'),
    ],
    ids=str,
)
def test_impossible_sizes_are_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackedHourglass(**arguments)


def test_every_stack_sees_what_the_stacks_before_predicted():
    network = StackedHourglass(3, 8).eval()
    image = torch.rand(1, 3, 64, 64)
    before = network(image)
    with torch.no_grad():
        network.stacks[1].score.bias += 1
    after = network(image)
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [
        True,
        False,
        False,
    ]


def test_the_last_heatmaps_loss_reaches_every_weight():
    # In eval mode: batch statistics would hide the biases in front of them.
    network = StackedHourglass(2, 16, num_blocks=2, num_joints=4).eval()
    network(torch.rand(2, 3, 64, 64))[-1].square().mean().backward()
    untouched = [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert untouched == []


def test_training_updates_the_batch_statistics():
    network = StackedHourglass(2, 8)
    network(torch.rand(2, 3, 64, 64))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(norm.num_batches_tracked == 1 for norm in norms)


# --- Initialization ----------------------------------------------------------------


def assert_pytorchs_defaults(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and (module.bias == 0).all()
        if isinstance(module, nn.Conv2d):
            # Both are uniform within +- 1 / sqrt(fan in).
            limit = 1 / math.sqrt(module.weight[0].numel())
            for values in (module.weight, module.bias):
                assert values.abs().max() <= limit
                if values.numel() >= 256:
                    spread = values.std().item()
                    assert spread == pytest.approx(limit / math.sqrt(3), rel=0.2)


def snapshot(network: nn.Module) -> dict:
    return copy.deepcopy(network.state_dict())


def assert_unchanged(network: nn.Module, before: dict) -> None:
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_init_weights_keeps_pytorchs_initialization():
    network = StackedHourglass(2, 64)
    before = snapshot(network)
    network.init_weights()
    assert_unchanged(network, before)
    assert_pytorchs_defaults(network)


@pytest.fixture
def estimator() -> nn.Module:
    codec = dict(
        type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2
    )
    return MODELS.build(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(type='PoseDataPreprocessor'),
            backbone=dict(type='StackedHourglass', num_stacks=2, num_features=64),
            head=dict(
                type='CPMHead',
                in_channels=16,
                out_channels=16,
                num_stages=2,
                deconv_out_channels=None,
                final_layer=None,
                loss=dict(type='KeypointMSELoss', use_target_weight=True),
                decoder=codec,
            ),
        )
    )


def test_the_head_adds_no_weights_and_passes_every_stack_on(estimator):
    assert isinstance(estimator.backbone, StackedHourglass)
    assert not list(estimator.head.parameters()) and not estimator.head.state_dict()
    estimator.eval()
    image = torch.rand(1, 3, 64, 64)
    heatmaps = estimator.backbone(image)
    passed_on = estimator.head(heatmaps)
    assert len(passed_on) == 2
    for one, other in zip(passed_on, heatmaps, strict=True):
        assert torch.equal(one, other)


def test_the_estimators_init_weights_keeps_pytorchs_initialization(estimator):
    before = snapshot(estimator.backbone)
    estimator.init_weights()
    assert_unchanged(estimator.backbone, before)
    assert_pytorchs_defaults(estimator.backbone)
