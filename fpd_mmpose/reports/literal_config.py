"""Reads and compares the fields of dumped configs without executing these."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

#: What differs between any two runs.
_SEED = 'randomness.seed'
_OF_EACH_RUN = {_SEED, 'work_dir', 'experiment_name', 'resume', 'visualizer.name'}
#: The value of a field that a config does not have.
MISSING = object()


def read_literals(config: str) -> dict[str, Any]:
    """Returns the fields of a dumped config; empty for text that is not a config.

    What is neither a literal nor a ``dict(...)`` of them is returned as its source.

    Example:
        >>> from fpd_mmpose.reports.literal_config import read_literals
        >>> read_literals('model = dict(depth=18, path=open("file"))')
        {'model': {'depth': 18, 'path': "open('file')"}}
    """
    try:
        return {
            node.targets[0].id: _value(node.value)
            for node in ast.parse(config).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [_value(item) for item in node.elts]
        case ast.Dict():
            return {
                '**' if key is None else str(_value(key)): _value(value)
                for key, value in zip(node.keys, node.values, strict=True)
            }
        case ast.Call(func=ast.Name(id='dict'), args=[]):
            return {word.arg or '**': _value(word.value) for word in node.keywords}
    return ast.unparse(node)


def field(settings: Any, name: str, default: Any = None) -> Any:
    """Returns a field by its dotted name."""
    for part in name.split('.'):
        if not isinstance(settings, dict) or part not in settings:
            return default
        settings = settings[part]
    return settings


def differences(configs: Sequence[Any], name: str = '') -> list[tuple[str, list[Any]]]:
    """Lists the fields that differ, by dotted name, with the value of each config.

    Names of runs and folders, which always differ, and seeds are left out.

    Example:
        >>> from fpd_mmpose.reports.literal_config import differences
        >>> differences([dict(a=1, b=dict(c=2)), dict(a=1, b=dict(c=3))])
        [('b.c', [2, 3])]
    """
    if name in _OF_EACH_RUN or all(config == configs[0] for config in configs):
        return []
    if all(isinstance(config, dict) for config in configs):
        keys = dict.fromkeys(key for config in configs for key in config)
    elif all(isinstance(c, list) and len(c) == len(configs[0]) for c in configs):
        if not all(isinstance(item, dict) for c in configs for item in c):
            return [(name, list(configs))]
        configs = [{str(n): item for n, item in enumerate(c)} for c in configs]
        keys = dict.fromkeys(configs[0])
    else:
        return [(name, list(configs))]
    return [
        found
        for key in keys
        for found in differences(
            [config.get(key, MISSING) for config in configs],
            f'{name}.{key}'.lstrip('.'),
        )
    ]


def differ_by_seed(config: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether configs are equal but for their seeds, and for paths that name these.

    Example:
        >>> from fpd_mmpose.reports.literal_config import differ_by_seed
        >>> one = dict(randomness=dict(seed=0), load_from='plain/seed_0/best.pth')
        >>> other = dict(randomness=dict(seed=1), load_from='plain/seed_1/best.pth')
        >>> differ_by_seed(one, other)
        True
    """
    seeds = [field(one, _SEED) for one in (config, other)]
    folders = [one.get('work_dir') for one in (config, other)]

    def translated(text: str) -> str:
        ours, theirs = folders
        if isinstance(ours, str) and isinstance(theirs, str) and ours.strip('./'):
            text = text.replace(ours, theirs)
        return re.sub(
            rf'(?<=[_-]){re.escape(str(seeds[0]))}(?!\d)', lambda _: str(seeds[1]), text
        )

    return seeds[0] != seeds[1] and all(
        isinstance(ours, str) and isinstance(theirs, str) and translated(ours) == theirs
        for _, (ours, theirs) in differences([config, other])
    )
