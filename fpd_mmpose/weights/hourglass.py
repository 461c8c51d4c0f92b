"""Renames the weights of the reference's hourglass to ours, and back."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.wrappers import without_wrappers

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


def is_reference_hourglass(state_dict: Mapping[str, object]) -> bool:
    """Checks whether the names, with or without wrappers, are the reference's."""
    needed = {'conv1.weight', 'hg.0.hg.0.3.0.conv1.weight', 'score.0.weight'}
    return needed <= without_wrappers(state_dict).keys()


def from_reference(
    state_dict: Mapping[str, Tensor], prefix: str = 'backbone.'
) -> dict[str, Tensor]:
    """Renames the reference's weights, with or without wrappers, to ours."""
    return {
        prefix + _rename(name): value
        for name, value in without_wrappers(state_dict).items()
    }


def to_reference(
    state_dict: Mapping[str, Tensor], prefix: str = 'backbone.'
) -> dict[str, Tensor]:
    """Renames the weights of :class:`StackedHourglass`, in the reference's order."""
    layers: dict[str, dict[str, str]] = defaultdict(dict)
    for name in state_dict:
        path, _, leaf = name.removeprefix(prefix).rpartition('.')
        layers[path][leaf] = name
    stacks = count_numbered(r'stacks\.(\d+)\.', layers)
    blocks = count_numbered(r'stacks\.\d+\.blocks\.(\d+)\.', layers)
    renamed = {}
    for theirs in _reference_layers(stacks, blocks):
        # layer3 has no skip convolution, and the last stack no feedback.
        ours = _rename(f'{theirs}.weight').removesuffix('.weight')
        for leaf, name in layers.pop(ours, {}).items():
            renamed[f'{theirs}.{leaf}'] = state_dict[name]
    if layers:
        name = next(iter(next(iter(layers.values())).values()))
        raise UserError(f'"{name}" is not a weight of a stacked hourglass')
    return renamed


def count_numbered(pattern: str, names: Iterable[str]) -> int:
    """Counts parts numbered from 0; the first group of the pattern is the number."""
    found = (re.match(pattern, name) for name in names)
    return 1 + max((int(match[1]) for match in found if match), default=-1)


def _reference_layers(stacks: int, blocks: int) -> Iterator[str]:
    """Yields the layers of the reference's hourglass, in the order of its files."""
    yield from ('conv1', 'bn1')
    for number in (1, 2, 3):
        yield from (f'layer{number}.0.{part}' for part in _BLOCK)
    residuals = []
    for stack in range(stacks):
        for level in range(_OUTERMOST_LEVEL + 1):
            branches = len(_BRANCH) if level == 0 else len(_BRANCH) - 1
            for branch in range(branches):
                path = f'hg.{stack}.hg.{level}.{branch}'
                residuals += [f'{path}.{block}' for block in range(blocks)]
    for stack in range(stacks):
        residuals += [f'res.{stack}.{block}' for block in range(blocks)]
    for residual in residuals:
        yield from (f'{residual}.{part}' for part in _BLOCK if '.' not in part)
    for stack in range(stacks):
        yield from (f'fc.{stack}.0', f'fc.{stack}.1')
    for layer in _STACK_LAYER:
        yield from (f'{layer}.{stack}' for stack in range(stacks))


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
    raise UserError(f'"{name}" is not a weight of the reference\'s hourglass')
