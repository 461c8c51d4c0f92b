"""Names of the weights in the reference's hourglass files, and ours."""

import re
from collections.abc import Mapping

from torch import Tensor

_STEM = {
    'conv1': 'stem.0',
    'bn1': 'stem.1',
    'layer1.0': 'stem.3',
    'layer2.0': 'stem.5',
    'layer3.0': 'stem.6',
}
_BLOCK = {
    'bn1': 'norm1',
    'conv1': 'conv1',
    'bn2': 'norm2',
    'conv2': 'conv2',
    'bn3': 'norm3',
    'conv3': 'conv3',
    'downsample.0': 'skip',
}
_OUTERMOST_LEVEL = 3
_BRANCH = ('skip', 'down', 'up', 'inner')
_STACK_LAYER = {
    'score': 'score',
    'fc_': 'merge_features',
    'score_': 'merge_score',
}


def is_reference_hourglass(state_dict: Mapping[str, Tensor]) -> bool:
    """Tells whether the names are those of the reference's hourglass.

    Args:
        state_dict (Mapping): Weights; names may carry the prefix ``module.``.

    Returns:
        bool: True for a file of the reference.
    """
    names = {name.removeprefix('module.') for name in state_dict}
    return {'conv1.weight', 'hg.0.hg.0.3.0.conv1.weight', 'score.0.weight'} <= names


def from_reference(
    state_dict: Mapping[str, Tensor], prefix: str = 'backbone.'
) -> dict[str, Tensor]:
    """Renames the reference's hourglass weights to those of a pose estimator here.

    Args:
        state_dict (Mapping): Weights under the reference's names, with or without
            ``module.`` (its ``model_best.pth`` and ``checkpoint.pth``).
        prefix (str): Put before each name. Defaults to ``'backbone.'``.

    Returns:
        dict: The same tensors for :class:`StackedHourglass`.

    Raises:
        ValueError: If a name is not one of the reference's hourglass.
    """
    return {
        prefix + _rename(name.removeprefix('module.')): value
        for name, value in state_dict.items()
    }


def _rename(name: str) -> str:
    path, _, leaf = name.rpartition('.')
    if path in _STEM:
        return f'{_STEM[path]}.{leaf}'
    if match := re.fullmatch(r'(layer[123]\.0)\.(.+)', path):
        if match[2] in _BLOCK:
            return f'{_STEM[match[1]]}.{_BLOCK[match[2]]}.{leaf}'
    if match := re.fullmatch(r'hg\.(\d+)\.hg\.([0-3])\.([0-3])\.(\d+)\.(\w+)', path):
        stack, level, branch, block, layer = match.groups()
        nesting = 'inner.' * (_OUTERMOST_LEVEL - int(level))
        if layer in _BLOCK and (branch != '3' or level == '0'):
            return (
                f'stacks.{stack}.hourglass.{nesting}{_BRANCH[int(branch)]}'
                f'.{block}.{_BLOCK[layer]}.{leaf}'
            )
    if match := re.fullmatch(r'res\.(\d+)\.(\d+)\.(\w+)', path):
        if match[3] in _BLOCK:
            return f'stacks.{match[1]}.blocks.{match[2]}.{_BLOCK[match[3]]}.{leaf}'
    if match := re.fullmatch(r'fc\.(\d+)\.([01])', path):
        layer = 'conv' if match[2] == '0' else 'norm'
        return f'stacks.{match[1]}.{layer}.{leaf}'
    if match := re.fullmatch(r'(score|fc_|score_)\.(\d+)', path):
        return f'stacks.{match[2]}.{_STACK_LAYER[match[1]]}.{leaf}'
    raise ValueError(f'"{name}" is not a weight of the reference\'s hourglass')
