"""Reads and compares dumped configs without executing them."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fpd_mmpose.config import field

_SEED = 'randomness.seed'
#: Characters of a path; replaced in each other, longer texts may fill the memory.
_LONGEST = 4096
#: What differs between any two runs.
_OF_EACH_RUN = {_SEED, 'work_dir', 'experiment_name', 'resume', 'visualizer.name'}


def read_literals(config: str) -> dict[str, Any]:
    """Returns the fields of a config; what is no literal or dict() as its source."""
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
        case ast.Constant(value=int() as number) if number.bit_length() > 64:
            return hex(number)  # Python prints no more than 4,300 digits
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [_value(item) for item in node.elts]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {str(key and _value(key)): _value(value) for key, value in pairs}
        case ast.Call(func=ast.Name(id='dict'), args=[]):
            return {str(word.arg): _value(word.value) for word in node.keywords}
    return ast.unparse(node)


def differences(configs: Sequence[Any], name: str = '') -> dict[str, list[Any]]:
    """Returns the fields that differ but for names of runs, with each one's value."""
    if name in _OF_EACH_RUN or all(config == configs[0] for config in configs):
        return {}
    if all(isinstance(c, list) and len(c) == len(configs[0]) for c in configs):
        configs = [{str(n): each for n, each in enumerate(c)} for c in configs]
    if not all(isinstance(config, dict) for config in configs):
        return {name: list(configs)}
    found: dict[str, list[Any]] = {}
    for key in dict.fromkeys(key for config in configs for key in config):
        path = f'{name}.{key}' if name else key
        found |= differences([config.get(key) for config in configs], path)
    return found


def differ_by_seed(config: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether only seeds differ, and texts that name them, such as ``seed_1/a.pth``."""
    mine, its = (str(field(one, _SEED)) for one in (config, other))
    here, there = (str(one.get('work_dir') or '<none>') for one in (config, other))
    if mine == its or max(map(len, (mine, its, here, there))) > _LONGEST:
        return False
    seed = re.compile(rf'(?<=[_-]){re.escape(mine)}(?!\d)')

    def same(text: Any, theirs: Any) -> bool:
        if not isinstance(text, str) or len(text) > _LONGEST:
            return False
        return seed.sub(lambda _: its, text.replace(here, there)) == theirs

    return all(same(*both) for both in differences([config, other]).values())
