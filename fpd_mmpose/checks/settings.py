"""Checks the fields of a run that MMEngine reads late, or does not name in errors."""

import copy
import logging
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmpose.registry import (
    HOOKS,
    LOOPS,
    METRICS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    VISUALIZERS,
)
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from fpd_mmpose.config import SPLITS, field, metrics_of
from fpd_mmpose.config_mistakes import field_mistake, unknown_type
from fpd_mmpose.errors import UserError, first_line

#: Whole numbers, and the smallest that each may be.
_COUNTS = {
    'train_cfg.max_epochs': 1,
    'train_cfg.max_iters': 1,
    'train_cfg.val_interval': 1,
    **{f'{split}_dataloader.batch_size': 1 for split in SPLITS},
    **{f'{split}_dataloader.num_workers': 0 for split in SPLITS},
    'default_hooks.logger.interval': 1,
    'default_hooks.checkpoint.interval': None,  # not positive: no checkpoints
    'randomness.seed': 0,
}
_LARGEST_SEED = 2**32 - 1  # of NumPy
#: What MMEngine wants all of or none of.
_TOGETHER = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)


def check_settings(config: Config) -> None:
    """Raises an error for the first field of a run with an impossible value."""
    if problem := next(settings_problems(config), None):
        raise UserError(problem)


def settings_problems(config: Config) -> Iterator[str]:
    """Yields a line for each field of a run that cannot have its value."""
    for names in _TOGETHER:
        given = [name for name in names if config.get(name) is not None]
        missing = [name for name in names if name not in given]
        if given and missing:
            yield (
                f'the config has {" and ".join(given)}, but not '
                f'{" and ".join(missing)}: a run needs all three, or none'
            )
    loop = config.get('train_cfg')
    if isinstance(loop, dict) and ('type' in loop) == ('by_epoch' in loop):
        yield (
            'train_cfg needs either the `type` of a loop or by_epoch: True with '
            'max_epochs, False with max_iters'
        )
    for name, least in _COUNTS.items():
        value = field(config, name)
        if value is None:
            continue
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or (least is not None and value < least):
            limit = '' if least is None else f' of at least {least}'
            yield f'{name} must be a whole number{limit}, got {value!r}'
        elif name == 'randomness.seed' and value > _LARGEST_SEED:
            yield f'{name} must be at most {_LARGEST_SEED}, got {value}'
    for split in SPLITS:
        loader = f'{split}_dataloader'
        persistent = field(config, f'{loader}.persistent_workers')
        if persistent and not field(config, f'{loader}.num_workers'):
            yield (
                f'{loader}.persistent_workers needs num_workers of 1 or more: set it '
                'to False'
            )
    kind = field(config, 'optim_wrapper.optimizer.type')
    if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        yield unknown_type(kind, OPTIMIZERS)
    clip = field(config, 'optim_wrapper.clip_grad')
    if isinstance(clip, dict) and (reason := _why_not_clipped(**clip)):
        yield f'optim_wrapper.clip_grad: {reason}'
    level = config.get('log_level')
    if isinstance(level, str) and not isinstance(logging.getLevelName(level), int):
        yield f'log_level must be a level of logging, such as "INFO", got {level!r}'


def _why_not_clipped(type: str = 'norm', **settings: Any) -> str:
    """Clips a gradient, as MMEngine does in the first step."""
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    functions: dict[str, Callable] = dict(norm=clip_grad_norm_, value=clip_grad_value_)
    try:
        if function := functions.get(type):  # MMEngine explains other types
            function(weight, **settings)
    except (TypeError, ValueError) as error:
        return first_line(error)
    return ''


def try_training(config: Config, model: nn.Module) -> None:
    """Builds the optimizer, its schedules, and the checkpoint hook, and drops them.

    Of other parts of the run, only the names of fields are checked.
    """
    settings = copy.deepcopy(config.get('optim_wrapper'))
    if isinstance(settings, dict) and 'optimizer' in settings:
        if settings.get('type') == 'AmpOptimWrapper':  # needs a GPU
            settings['type'] = 'OptimWrapper'
            for name in ('dtype', 'loss_scale', 'use_fsdp'):
                settings.pop(name, None)
        optimizer = build_optim_wrapper(model, settings)
        schedules = config.get('param_scheduler') or []
        for schedule in [schedules] if isinstance(schedules, dict) else schedules:
            _build_schedule(schedule, config.get('train_cfg') or {}, optimizer)
    if isinstance(hook := field(config, 'default_hooks.checkpoint'), dict):
        HOOKS.build(copy.deepcopy(hook))
    for settings, registry in _parts(config):
        if mistake := field_mistake(settings, registry):
            raise UserError(mistake)


def _parts(config: Config) -> Iterator[tuple[dict, Any]]:
    """Yields the settings of what a run builds, and the registry of each."""
    hooks = [*(config.get('default_hooks') or {}).values()]
    hooks += config.get('custom_hooks') or ()
    yield from ((each, HOOKS) for each in hooks if isinstance(each, dict))
    for split in SPLITS:
        for metric in metrics_of(config, split):
            kind = metric.get('type') if isinstance(metric, dict) else None
            # Unknown ones are reported with the metrics.
            if isinstance(kind, str) and METRICS.get(kind):
                yield metric, METRICS
        if isinstance(loader := config.get(f'{split}_dataloader'), dict):
            known = {k: v for k, v in loader.items() if k != 'num_batch_per_epoch'}
            yield {**known, 'type': DataLoader}, None
        if isinstance(loop := config.get(f'{split}_cfg'), dict):
            settings = {k: v for k, v in loop.items() if k != 'by_epoch'}
            kind = f'{split.capitalize()}Loop'
            if split == 'train':
                kind = ('Epoch' if loop.get('by_epoch') else 'Iter') + f'Based{kind}'
            yield {'type': kind, **settings}, LOOPS
    if isinstance(visualizer := config.get('visualizer'), dict):
        yield visualizer, VISUALIZERS


def _build_schedule(schedule: dict, train_cfg: dict, optimizer: Any) -> None:
    settings = copy.deepcopy(schedule)
    by_epoch = settings.get('by_epoch', True)
    length = train_cfg.get('max_epochs' if by_epoch else 'max_iters')
    if length:
        settings.setdefault('end', length)
    # One step an epoch, as the dataset may be missing.
    others = dict(optimizer=optimizer, epoch_length=1)
    PARAM_SCHEDULERS.build(settings, default_args=others)
