"""Removes the prefixes that wrappers add to the names of weights."""

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar('Value')

# PyTorch's data parallelism and averaged models, and torch.compile, which also wraps
# parts. OpenMMLab's networks have no such names.
_RUNTIME = re.compile(r'^(module\.|_orig_mod\.)+|(?<=\.)(_orig_mod\.)+')
#: MMRazor's algorithms, Lightning modules, and distillers with a student inside.
_FRAMEWORKS = ('architecture.', 'model.', 'student.')
# Counters of mmengine's and torch's averaged models.
_COUNTERS = {'steps', 'n_averaged'}


def without_runtime(name: str) -> str:
    """Removes every ``module.`` and ``_orig_mod.`` from a name."""
    return _RUNTIME.sub('', name)


def without_wrappers(
    state_dict: Mapping[str, Value], frameworks: bool = True
) -> dict[str, Value]:
    """Removes prefixes of wrappers, in any order and number, and averaging counters.

    ``frameworks`` includes ``architecture.``, ``model.``, and ``student.``, where all
    names have them. Nothing is changed if two names would become equal.
    """
    if not all(isinstance(name, str) for name in state_dict):
        return dict(state_dict)
    names = {name: without_runtime(name) for name in state_dict}
    if any(name.startswith('module.') for name in names):
        names = {old: new for old, new in names.items() if old not in _COUNTERS}
    prefix = _shared_prefix(names) if frameworks else None
    while prefix:
        names = {
            old: without_runtime(new.removeprefix(prefix)) for old, new in names.items()
        }
        prefix = _shared_prefix(names)
    if len({*names.values()}) < len(names):
        return dict(state_dict)
    return {new: state_dict[old] for old, new in names.items()}


def _shared_prefix(names: Mapping[str, str]) -> str | None:
    for prefix in _FRAMEWORKS:
        if names and all(name.startswith(prefix) for name in names.values()):
            return prefix
    return None
