"""The network is found from its weights."""

import pytest
import torch
from mmpose.registry import MODELS
from torchvision.models import resnet18, resnet50, resnext50_32x4d

from fpd_mmpose.config import load_config
from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights.architectures import CONFIGS, architecture_of, build
from fpd_mmpose.weights.layouts import from_official
from tests.helpers.refusals import refused


def hourglass(*sizes: int) -> dict[str, torch.Tensor]:
    model = StackedHourglass(*sizes)
    return {f'backbone.{name}': value for name, value in model.state_dict().items()}


@pytest.mark.parametrize('sizes', [(1, 8, 1, 16), (3, 8, 2, 5), (11, 4, 1, 16)])
def test_an_hourglass_is_found(sizes):
    network = architecture_of(hourglass(*sizes))
    assert network.joints == sizes[3]
    assert network.title.startswith(f'hourglass {sizes[0]}x{sizes[1]}')
    build(network, hourglass(*sizes))


@pytest.mark.parametrize(
    'model, title', [(resnet18, 'ResNet-18'), (resnet50, 'ResNet-50')]
)
def test_a_resnet_is_found(model, title):
    weights = from_official(model().state_dict())
    network = architecture_of(weights)
    assert (network.title, network.joints) == (title, None)
    # Files of torch before 0.4.1 have no counters.
    build(network, {k: v for k, v in weights.items() if 'num_batches' not in k})


def refusal(weights: dict) -> str:
    return refused(lambda: build(architecture_of(weights), weights))


def test_a_weight_that_is_missing_is_named():
    weights = hourglass(1, 8, 1, 16)
    del weights['backbone.stacks.0.norm.bias'], weights['backbone.stacks.0.norm.weight']
    assert refusal(weights) == (
        'the weights are not those of hourglass 1x8: 2 weights are missing '
        '(first backbone.stacks.0.norm.weight)'
    )


def test_a_weight_that_determines_sizes_is_named_too():
    weights = hourglass(1, 8, 1, 16)
    del weights['backbone.stem.0.weight']
    assert refusal(weights) == "the weight 'backbone.stem.0.weight' is missing"


def test_an_extra_weight_is_named():
    weights = hourglass(1, 8, 1, 16) | {'head.extra.weight': torch.zeros(1)}
    assert '1 weights are unknown (first head.extra.weight)' in refusal(weights)


def test_a_variant_with_the_same_names_differs_in_shape():
    message = refusal(from_official(resnext50_32x4d().state_dict()))
    assert 'not those of ResNet-50' in message
    assert 'are of another shape (first backbone.layer1.0.conv1.weight)' in message


def test_impossible_shapes_are_an_error():
    weights = hourglass(1, 8, 1, 16) | {'backbone.stem.0.weight': torch.tensor(1.0)}
    assert 'its sizes cannot be determined' in refusal(weights)


def test_an_unknown_network_is_described_by_its_first_names():
    message = refusal({'backbone.features.0.weight': torch.zeros(1)})
    assert '1 names, starting with backbone.features.0.weight' in message


@pytest.mark.parametrize('title, joints', CONFIGS)
def test_the_named_configs_build_the_network(title, joints):
    for name in CONFIGS[title, joints]:
        model = load_config(name).model
        assert model.head.out_channels == joints
        backbone = model.backbone
        found = {
            'StackedHourglass': lambda b: f'hourglass {b.num_stacks}x{b.num_features}',
            'HRNet': lambda b: f'HRNet-W{b.extra.stage2.num_channels[0]}',
            'ResNet': lambda b: f'ResNet-{b.depth}',
        }[backbone.type](backbone)
        assert found == title


def test_a_packaged_config_equals_the_network_found():
    config = load_config('configs/hourglass/hg4_128_mpii.py').model
    with torch.device('meta'):
        weights = MODELS.build(config).state_dict()
    network = architecture_of(weights)
    assert network.configs == ['configs/hourglass/hg4_128_mpii.py']
    for part in ('backbone', 'head'):
        found = dict(network.model[part])
        found.pop('num_blocks', None)
        assert found.items() <= dict(config[part]).items()
