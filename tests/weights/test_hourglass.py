"""The reference's hourglass weights are renamed, and back."""

import pytest
import torch

from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights.hourglass import (
    from_reference,
    is_reference_hourglass,
    to_reference,
)
from tests.helpers import ROOT

Shapes = dict[str, tuple[int, ...]]


def conv(name: str, outputs: int, inputs: int, size: int = 1) -> Shapes:
    return {
        f'{name}.weight': (outputs, inputs, size, size),
        f'{name}.bias': (outputs,),
    }


def norm(name: str, channels: int) -> Shapes:
    leaves = ('weight', 'bias', 'running_mean', 'running_var')
    shapes: Shapes = {f'{name}.{leaf}': (channels,) for leaf in leaves}
    return {**shapes, f'{name}.num_batches_tracked': ()}


def block(name: str, inputs: int, middle: int) -> Shapes:
    shapes = {
        **norm(f'{name}.bn1', inputs),
        **conv(f'{name}.conv1', middle, inputs),
        **norm(f'{name}.bn2', middle),
        **conv(f'{name}.conv2', middle, middle, 3),
        **norm(f'{name}.bn3', middle),
        **conv(f'{name}.conv3', 2 * middle, middle),
    }
    if inputs != 2 * middle:
        shapes |= conv(f'{name}.downsample.0', 2 * middle, inputs)
    return shapes


def reference_shapes(stacks: int, features: int, blocks: int, joints: int) -> Shapes:
    """The names in a file of the reference."""
    quarter, half = features // 4, features // 2
    shapes = conv('conv1', quarter, 3, 7) | norm('bn1', quarter)
    shapes |= block('layer1.0', quarter, quarter)
    shapes |= block('layer2.0', half, half)
    shapes |= block('layer3.0', features, half)
    for s in range(stacks):
        for n in range(blocks):
            for level in range(4):
                # The innermost level has one more branch.
                for branch in range(4 if level == 0 else 3):
                    name = f'hg.{s}.hg.{level}.{branch}.{n}'
                    shapes |= block(name, features, half)
            shapes |= block(f'res.{s}.{n}', features, half)
        shapes |= conv(f'fc.{s}.0', features, features)
        shapes |= norm(f'fc.{s}.1', features)
        shapes |= conv(f'score.{s}', joints, features)
        if s < stacks - 1:
            shapes |= conv(f'fc_.{s}', features, features)
            shapes |= conv(f'score_.{s}', features, joints)
    return shapes


def weights_of(shapes: Shapes) -> dict[str, torch.Tensor]:
    return {name: torch.empty(shape, device='meta') for name, shape in shapes.items()}


@pytest.mark.parametrize(
    'stacks, features, blocks, joints, entries',
    [(1, 128, 1, 16, 377), (4, 128, 1, 16, 1298), (8, 256, 1, 16, 2526)]
    + [(1, 8, 3, 5, None), (3, 24, 2, 17, None), (12, 16, 1, 16, None)],
)
def test_every_weight_gets_its_own_name(stacks, features, blocks, joints, entries):
    theirs = weights_of(reference_shapes(stacks, features, blocks, joints))
    assert entries in (None, len(theirs))
    ours = from_reference(theirs, prefix='')
    with torch.device('meta'):
        network = StackedHourglass(stacks, features, blocks, joints)
    assert len(ours) == len(theirs)
    assert {name: value.shape for name, value in ours.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }
    # The tensors keep their order and are the same ones.
    assert all(a is b for a, b in zip(ours.values(), theirs.values(), strict=True))


@pytest.mark.parametrize(
    'theirs, ours',
    [
        ('conv1.bias', 'stem.0.bias'),
        ('layer2.0.downsample.0.weight', 'stem.5.skip.weight'),
        # Level 3 is the outermost; branches 0 to 3 are skip, down, up and innermost.
        ('hg.1.hg.3.0.0.bn1.bias', 'stacks.1.hourglass.skip.0.norm1.bias'),
        ('hg.1.hg.3.1.0.bn2.bias', 'stacks.1.hourglass.down.0.norm2.bias'),
        ('hg.1.hg.2.2.0.bn3.bias', 'stacks.1.hourglass.inner.up.0.norm3.bias'),
        (
            'hg.0.hg.0.3.1.conv2.bias',
            'stacks.0.hourglass.inner.inner.inner.inner.1.conv2.bias',
        ),
        ('res.2.1.conv3.bias', 'stacks.2.blocks.1.conv3.bias'),
        ('fc.2.0.bias', 'stacks.2.conv.bias'),
        ('fc.2.1.running_var', 'stacks.2.norm.running_var'),
        ('score.2.bias', 'stacks.2.score.bias'),
        ('fc_.2.bias', 'stacks.2.merge_features.bias'),
        ('score_.2.bias', 'stacks.2.merge_score.bias'),
    ],
)
def test_a_weight_keeps_its_place_in_the_network(theirs, ours):
    assert list(from_reference({theirs: torch.zeros(1)}, prefix='')) == [ours]


def test_names_get_the_prefix_of_the_pose_estimator():
    theirs = weights_of(reference_shapes(1, 8, 1, 2))
    bare = from_reference(theirs, prefix='')
    assert list(from_reference(theirs)) == [f'backbone.{name}' for name in bare]


def test_the_prefix_of_data_parallel_is_dropped():
    theirs = weights_of(reference_shapes(2, 8, 1, 2))
    wrapped = {f'module.{name}': value for name, value in theirs.items()}
    assert from_reference(wrapped) == from_reference(theirs)
    assert is_reference_hourglass(wrapped) and is_reference_hourglass(theirs)


@pytest.mark.parametrize(
    'names',
    [
        ['backbone.stem.0.weight', 'backbone.stacks.0.score.weight'],
        ['conv1.weight', 'bn1.weight', 'layer1.0.conv1.weight', 'fc.weight'],
        ['conv1.weight', 'stage2.0.branches.0.0.conv1.weight', 'final_layer.weight'],
        [],
    ],
    ids=['ours', 'ResNet', 'HRNet', 'nothing'],
)
def test_other_networks_are_not_mistaken_for_the_references_hourglass(names):
    assert not is_reference_hourglass(dict.fromkeys(names, torch.zeros(1)))


@pytest.mark.parametrize(
    'name',
    [
        'conv2.weight',
        'conv1',
        'layer4.0.conv1.weight',
        'layer1.1.conv1.weight',
        'layer1.0.downsample.1.weight',
        'layer1.0.bn4.weight',
        'hg.0.hg.4.0.0.conv1.weight',
        'hg.0.hg.1.3.0.conv1.weight',  # only the innermost level has a fourth branch
        'hg.0.hg.0.4.0.conv1.weight',
        'hg.0.hg.0.0.0.relu.weight',
        'hg.x.hg.0.0.0.conv1.weight',
        'res.0.conv1.weight',
        'res.0.0.conv4.weight',
        'fc.0.2.weight',
        'fc.0.weight',
        'scores.0.weight',
        'score.weight',
        'head.final_layer.weight',
        'optimizer',
    ],
)
def test_an_unknown_weight_is_named(name):
    theirs = weights_of(reference_shapes(1, 8, 1, 2))
    with pytest.raises(ValueError) as info:
        from_reference({**theirs, f'module.{name}': torch.zeros(1)})
    assert str(info.value) == f'"{name}" is not a weight of the reference\'s hourglass'


# --- And back ----------------------------------------------------------------------


@pytest.mark.parametrize(
    'sizes', [(1, 128, 1, 16), (4, 128, 1, 16), (8, 256, 1, 16), (3, 24, 2, 17)]
)
def test_our_names_become_those_of_the_reference(sizes):
    theirs = weights_of(reference_shapes(*sizes))
    back = to_reference(from_reference(theirs))
    assert set(back) == set(theirs)
    assert all(back[name] is value for name, value in theirs.items())


def test_the_order_becomes_that_of_the_reference():
    file = ROOT / 'tests' / 'data/hourglass_a.pth'
    theirs = [name.removeprefix('module.') for name in torch.load(file)]
    # Our order differs: the layers of a stack follow each other.
    ours = StackedHourglass(2, 32).state_dict()
    assert list(from_reference(dict.fromkeys(theirs), prefix='')) != list(ours)
    assert list(to_reference(ours, prefix='')) == theirs


@pytest.mark.parametrize(
    'name',
    ['backbone.stem.9.weight', 'backbone.stacks.0.extra.bias', 'head.conv.weight'],
)
def test_a_weight_of_another_network_has_no_way_back(name):
    ours = from_reference(weights_of(reference_shapes(1, 8, 1, 2)))
    with pytest.raises(ValueError) as info:
        to_reference({**ours, name: torch.zeros(1)})
    assert str(info.value) == f'"{name}" is not a weight of a stacked hourglass'
