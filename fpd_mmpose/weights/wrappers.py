"""What wrappers put before the names of weights."""

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar('Value')

# Wrappers around a running network: PyTorch's data parallelism and averaged models,
# and torch.compile, which also wraps parts. OpenMMLab's networks have no such names.
_RUNTIME = re.compile(r'^(module\.|_orig_mod\.)+|(?<=\.)(_orig_mod\.)+')
#: MMRazor's algorithms, Lightning modules, and distillers that hold a student.
_FRAMEWORKS = ('architecture.', 'model.', 'student.')
# Counters that averaged models keep beside the weights: mmengine's and torch's.
_COUNTERS = {'steps', 'n_averaged'}


def without_runtime(name: str) -> str:
    """Takes ``module.`` and ``_orig_mod.`` off a name, however often they stand there.

    Args:
        name (str): Of a weight.

    Returns:
        str: The name in the network itself.
    """
    return _RUNTIME.sub('', name)


def without_wrappers(
    state_dict: Mapping[str, Value], frameworks: bool = True
) -> dict[str, Value]:
    """Takes off what wrappers put before names, in any order and number.

    Args:
        state_dict (Mapping): Weights.
        frameworks (bool): Whether prefixes that other frameworks give to all weights
            are taken off as well: ``architecture.``, ``model.`` and ``student.``.
            Defaults to True.

    Returns:
        dict: The same values under shorter names, without the counter of an averaged
        model; all of it as it is where two would have the same name.
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
