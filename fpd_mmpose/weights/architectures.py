"""Finds the network that weights belong to, from their names and shapes."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.weights.hourglass import count_numbered

_RESNET_DEPTHS: dict[tuple[int, ...], int] = {
    (False, 2, 2, 2, 2): 18,
    (False, 3, 4, 6, 3): 34,
    (True, 3, 4, 6, 3): 50,
    (True, 3, 4, 23, 3): 101,
    (True, 3, 8, 36, 3): 152,
}
_SIZES = ('256x192', '384x288')
#: This package's configs of a network, by its title and number of joints. Recipes that
#: train the same network in another way are left out.
CONFIGS: dict[tuple[str, int | None], list[str]] = {
    ('hourglass 1x32', 16): ['configs/quickstart/hg1_32_drawn.py'],
    ('hourglass 2x64', 16): ['configs/quickstart/hg2_64_drawn.py'],
}
for _stacks, _features in ((4, 128), (4, 256), (8, 256)):
    _title = f'hourglass {_stacks}x{_features}'
    _path = f'configs/hourglass/hg{_stacks}_{_features}'
    CONFIGS[_title, 16] = [f'{_path}_mpii.py']
    CONFIGS[_title, 17] = [f'{_path}_coco_256x192.py']
for _title, _path in (
    ('HRNet-W32', 'configs/hrnet/hrnet_w32'),
    ('HRNet-W48', 'configs/hrnet/hrnet_w48'),
    ('ResNet-50', 'configs/resnet/res50'),
    ('ResNet-101', 'configs/resnet/res101'),
    ('ResNet-152', 'configs/resnet/res152'),
):
    CONFIGS[_title, 16] = [f'{_path}_mpii.py']
    CONFIGS[_title, 17] = [f'{_path}_coco_{size}.py' for size in _SIZES]


@dataclass(frozen=True)
class Architecture:
    """A pose estimator, or the backbone of one, whose ``head`` and ``joints`` are None.

    ``backbone`` and ``head`` are configs; the head's has no loss and no codec.
    """

    title: str
    details: str
    backbone: dict
    head: dict | None = None
    joints: int | None = None

    @property
    def model(self) -> dict:
        """The config of the pose estimator."""
        return dict(type='TopdownPoseEstimator', backbone=self.backbone, head=self.head)

    @property
    def configs(self) -> list[str]:
        """The packaged configs that the weights fit."""
        return CONFIGS.get((self.title, self.joints), [])


def architecture_of(weights: Mapping[str, Tensor]) -> Architecture:
    """Finds the network of weights under our names; :func:`build` checks the fit."""
    try:
        if 'backbone.stacks.0.score.weight' in weights:
            return _hourglass(weights)
        if 'backbone.stage4.2.branches.0.0.conv1.weight' in weights:
            return _hrnet(weights)
        if 'backbone.layer4.0.conv1.weight' in weights:
            return _resnet(weights)
    except KeyError as error:
        raise UserError(f'the weight {error} is missing') from error
    except (TypeError, ValueError) as error:
        raise UserError(f'its sizes cannot be determined: {error}') from error
    raise UserError(
        'it is neither a stacked hourglass of this project, an HRNet, nor a ResNet '
        f'({sample_of(weights)})'
    )


def build(network: Architecture, weights: Mapping[str, Tensor]) -> nn.Module:
    """Builds a network in eval mode and loads exactly its weights.

    Only batch norm's batch counters, which old files lack, may be missing. A backbone
    alone is returned in a sequence.
    """
    # First without memory, because names and shapes can ask for any amount of it.
    with torch.device('meta'):
        own = _build(network).state_dict()
    common = [name for name in weights if name in own]
    problems = {
        'missing': [
            name
            for name in own
            if name not in weights and not name.endswith('num_batches_tracked')
        ],
        'unknown': [name for name in weights if name not in own],
        'of another shape': [n for n in common if own[n].shape != weights[n].shape],
    }
    if any(problems.values()):
        found = '; '.join(
            f'{len(names)} weights are {problem} (first {names[0]})'
            for problem, names in problems.items()
            if names
        )
        raise UserError(f'the weights are not those of {network.title}: {found}')
    model = _build(network)
    # Fills in the counters of old files.
    model.load_state_dict(dict(weights), strict=True)
    return model.eval()


def _build(network: Architecture) -> nn.Module:
    try:
        if network.head:
            return MODELS.build(network.model)
        backbone = MODELS.build(network.backbone)
    except Exception as error:  # of many types, from MMPose and torch
        raise UserError(
            f'no {network.title} can be built: {first_line(error)}'
        ) from error
    return nn.Sequential(OrderedDict(backbone=backbone))


def sample_of(names: Iterable[str]) -> str:
    """Counts names and lists the first ones, for a message."""
    names = [str(name)[:60] for name in names]
    return f'{len(names)} names, starting with {", ".join(names[:3])}'


def _hourglass(weights: Mapping[str, Tensor]) -> Architecture:
    features = 4 * len(weights['backbone.stem.0.weight'])
    stacks = count_numbered(r'backbone\.stacks\.(\d+)\.', weights)
    blocks = count_numbered(r'backbone\.stacks\.0\.blocks\.(\d+)\.', weights)
    if stacks * blocks > len(weights):
        raise ValueError(f'{stacks} stacks of {blocks} blocks have more weights')
    joints = len(weights['backbone.stacks.0.score.weight'])
    per_branch = '' if blocks == 1 else f'/{blocks} blocks'
    backbone = dict(
        type='StackedHourglass',
        num_stacks=stacks,
        num_features=features,
        num_blocks=blocks,
        num_joints=joints,
    )
    head = dict(
        type='CPMHead',
        in_channels=joints,
        out_channels=joints,
        num_stages=stacks,
        deconv_out_channels=None,
        final_layer=None,
    )
    return Architecture(
        title=f'hourglass {stacks}x{features}{per_branch}',
        details=f'stacks {stacks}, features {features}, blocks per branch {blocks}',
        backbone=backbone,
        head=head,
        joints=joints,
    )


def _hrnet(weights: Mapping[str, Tensor]) -> Architecture:
    width = len(weights['backbone.stage2.0.branches.0.0.conv1.weight'])
    extra = dict(
        stage1=dict(
            num_modules=1,
            num_branches=1,
            block='BOTTLENECK',
            num_blocks=(4,),
            num_channels=(64,),
        )
    )
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        extra[f'stage{stage}'] = dict(
            num_modules=modules,
            num_branches=stage,
            block='BASIC',
            num_blocks=(4,) * stage,
            num_channels=tuple(width * 2**branch for branch in range(stage)),
        )
    return _with_head(
        weights,
        title=f'HRNet-W{width}',
        details=f'width {width}',
        backbone=dict(type='HRNet', extra=extra),
        channels=width,
    )


def _resnet(weights: Mapping[str, Tensor]) -> Architecture:
    blocks = tuple(
        count_numbered(rf'backbone\.layer{layer}\.(\d+)\.', weights)
        for layer in (1, 2, 3, 4)
    )
    is_bottleneck = 'backbone.layer1.0.conv3.weight' in weights
    depth = _RESNET_DEPTHS.get((is_bottleneck, *blocks))
    if depth is None:
        raise UserError(f'no ResNet has layers of {blocks} blocks')
    return _with_head(
        weights,
        title=f'ResNet-{depth}',
        details=f'depth {depth}',
        backbone=dict(type='ResNet', depth=depth),
        channels=2048 if is_bottleneck else 512,
    )


def _with_head(
    weights: Mapping[str, Tensor],
    title: str,
    details: str,
    backbone: dict,
    channels: int,
) -> Architecture:
    if 'head.final_layer.weight' not in weights:
        return Architecture(title, details, backbone)
    # Transposed convolutions are (in, out, height, width); batch norms have no height.
    deconvolutions = [
        value.shape
        for name, value in weights.items()
        if re.fullmatch(r'head\.deconv_layers\.\d+\.weight', name) and value.ndim == 4
    ]
    joints, _, kernel, _ = weights['head.final_layer.weight'].shape
    head = dict(
        type='HeatmapHead',
        in_channels=channels,
        out_channels=joints,
        deconv_out_channels=[shape[1] for shape in deconvolutions] or None,
        deconv_kernel_sizes=[shape[2] for shape in deconvolutions] or None,
        final_layer=dict(kernel_size=kernel, padding=kernel // 2),
    )
    if deconvolutions:
        details += f', transposed convolutions {len(deconvolutions)}'
    return Architecture(title, details, backbone, head, joints)
