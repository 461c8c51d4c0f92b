"""Checks what a checkpoint says of optimizers and of schedules."""

import logging
import math
from collections import Counter
from inspect import signature
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from torch import Tensor
from torch.optim import Optimizer

from fpd_mmpose.errors import shown
from fpd_mmpose.finite import is_count, is_finite_number, is_number, non_finite

#: What schedules count; some begin at -1.
_COUNTS = {'begin', 'end', 'last_step', '_global_step'}
_MOST = 2.0**53


def check_optimizers(wrapper: Any) -> None:
    """Raises a ValueError for restored optimizers that would fail or mislead a step."""
    several = isinstance(wrapper, OptimWrapperDict)
    for each in wrapper.values() if several else [wrapper]:
        optimizer, base = each.optimizer, each.base_param_settings
        for group in [*optimizer.param_groups, *([] if base is None else [base])]:
            initial = {name: 0.0 for name in group if name.startswith('initial_')}
            for name, usual in {**optimizer.defaults, **initial}.items():
                _check_alike(f'`{name}` of the optimizer', group[name], usual)
        if scaler := getattr(each, 'loss_scaler', None):
            for name, value in scaler.state_dict().items():
                _check_alike(f'`{name}` of the loss scaler', value, 0)
        _check_states(optimizer)


def check_schedules(schedules: Any, saved: Any) -> None:
    """Raises a ValueError for states that other schedules than these have."""
    if isinstance(schedules, dict):
        for name, own in schedules.items():
            check_schedules(own, saved[name])
        return
    if not isinstance(saved, list) or len(saved) != len(schedules):
        raise ValueError(f'`param_schedulers` should be a list of {len(schedules)}')
    for number, (schedule, state) in enumerate(zip(schedules, saved, strict=True)):
        _check_alike(f'`param_schedulers[{number}]`', state, schedule.state_dict())


def _check_states(optimizer: Optimizer) -> None:
    for key, state in optimizer.state.items():
        if type(key) is int or not isinstance(state, dict):
            raise ValueError('the optimizer has a state of no parameter, or no dict')
    missing = 0
    for group in optimizer.param_groups:
        for parameter in group['params']:
            usual = _after_a_step(optimizer, group, parameter)
            if parameter in optimizer.state:
                for name in usual[0] if usual else ():
                    of_name = [state[name] for state in usual]
                    _check_entry(name, optimizer.state[parameter][name], of_name)
            else:
                missing += bool(usual and usual[0] and parameter.requires_grad)
    if missing:
        text = f'The optimizer has no state of {missing} parameters, which start anew'
        print_log(text, 'current', logging.WARNING)


def _after_a_step(optimizer: Optimizer, group: dict, parameter: Tensor) -> list[dict]:
    """Makes states after gradients of -1 and 1; raises a ValueError for bad options."""
    probes = [torch.zeros_like(parameter, requires_grad=True) for _ in range(2)]
    for probe, value in zip(probes, (-1.0, 1.0), strict=True):
        probe.grad = torch.full_like(probe, value)
    known = signature(type(optimizer)).parameters.keys() & group.keys()
    try:
        options = {name: group[name] for name in known} | {'params': probes}
        trial = type(optimizer)(**options)
        trial.step()
    except ValueError:
        raise
    except Exception:  # some need a closure, sparse gradients, or other options
        return []
    return [trial.state[probe] for probe in probes]


def _check_entry(name: str, value: Any, usual: list) -> None:
    title, example = f'`{name}` of the optimizer', usual[0]
    if not isinstance(example, Tensor):
        return _check_alike(title, value, example)
    if (
        not isinstance(value, Tensor)
        or value.shape != example.shape
        or value.is_floating_point() != example.is_floating_point()
    ):
        raise ValueError(f'{title} has another shape or type')
    if non_finite({name: value}):
        raise ValueError(f'{title} is NaN or infinite')
    # Counts and squares are not negative, whatever the sign of the gradients.
    if all((each >= 0).all() for each in usual) and not (value >= 0).all():
        raise ValueError(f'{title} is negative')


def _check_alike(name: str, value: Any, usual: Any) -> None:
    if not _is_alike(value, usual):
        raise ValueError(f'{name} is {shown(value)}')
    if isinstance(usual, dict) and not isinstance(usual, Counter):
        for key, each in usual.items():
            _check_alike(f'`{key}` of {name}', value[key], each)
            if key in _COUNTS and value[key] != each and not is_count(value[key]):
                raise ValueError(f'`{key}` of {name} is {shown(value[key])}')


def _is_alike(value: Any, usual: Any) -> bool:
    if usual is None or isinstance(usual, bool):
        return value is None or isinstance(value, bool)
    if is_number(usual):
        if not is_number(value) or isinstance(value, bool):
            return False
        # The best score of a schedule is infinite before the first.
        finite = is_finite_number(value) or not math.isfinite(usual)
        return (
            finite and (value >= 0 or usual < 0) and (value <= _MOST or usual > _MOST)
        )
    if isinstance(usual, Counter):
        return isinstance(value, Counter) and all(
            map(is_count, [*value, *value.values()])
        )
    if isinstance(usual, dict):
        return isinstance(value, dict) and value.keys() == usual.keys()
    if isinstance(usual, list | tuple):
        is_list = isinstance(value, list | tuple) and len(value) == len(usual)
        return is_list and all(map(_is_alike, value, usual))
    return value == usual if isinstance(usual, str) else callable(value)
