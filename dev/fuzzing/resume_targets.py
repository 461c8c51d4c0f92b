"""The state that a run resumes from: optimizer, schedules, message hub, metadata."""

import copy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from mmengine.hooks import ParamSchedulerHook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from fpd_mmpose.finite import is_number
from fuzzing.mutations import damaged_bytes, damaged_value
from fuzzing.subjects import Subject, Target
from fuzzing.weight_targets import repacked, saved, strange_tensor
from tests.helpers.tiny import tiny_runner, trained

#: More than this in weights and optimizer makes them overflow.
_LARGE = 1e6
_COMMON: dict[str, Any] = dict(
    val_dataloader=None,
    val_cfg=None,
    val_evaluator=None,
    default_hooks=dict(
        logger=dict(type='LoggerHook', interval=1),
        checkpoint=dict(type='CheckpointHook'),
    ),
)
_ADAM: dict[str, Any] = dict(_COMMON)
_SGD: dict[str, Any] = dict(
    _COMMON,
    optim_wrapper=dict(
        optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
        paramwise_cfg=dict(bias_lr_mult=2.0),
    ),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
        dict(type='CosineAnnealingLR', T_max=9, eta_min=0.001),
    ],
    custom_hooks=[dict(type='EMAHook')],
)


def _changed_tensor(rng: Random, old: Tensor) -> Any:
    kind = rng.randrange(5)
    if kind == 0:
        return strange_tensor(rng)
    if kind == 1:
        return old.to(
            rng.choice((torch.int64, torch.bool, torch.float64, torch.cfloat))
        )
    if kind == 2:
        return old.reshape(-1)[: rng.randrange(old.numel() + 1)]
    factor = rng.choice((-1.0, 1e3, torch.nan, torch.inf))
    return old * factor if kind == 3 else -old - 1


def _with_a_changed_tensor(rng: Random, content: dict) -> dict:
    """Changes a tensor of the optimizer or of the averages."""
    content = copy.deepcopy(content)
    owners = [*content['optimizer']['state'].values()]
    owners += [content[key] for key in ('ema_state_dict',) if key in content]
    owner = rng.choice(owners)
    name = rng.choice([name for name in owner if isinstance(owner[name], Tensor)])
    if rng.random() < 0.1:
        del owner[name]
    else:
        owner[name] = _changed_tensor(rng, owner[name])
    return content


def _has_large_numbers(runner: Runner) -> bool:
    optimizer = runner.optim_wrapper.optimizer
    owners = [*optimizer.param_groups, *optimizer.state.values()]
    owners.append(runner.model.state_dict())
    values = [value for owner in owners for value in owner.values()]
    tensors = [torch.as_tensor(value) for value in values if is_number(value)]
    tensors += [value for value in values if isinstance(value, Tensor)]
    sizes = [value.double().abs() for value in tensors]
    return any(((size > _LARGE) & size.isfinite()).any() for size in sizes)


def _resume(settings: dict[str, Any]) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        init_default_scope('mmpose')
        path = folder / 'run' / 'epoch_1.pth'
        trained(path.parent, **settings)
        content = torch.load(path)
        runner = tiny_runner(path.parent, 5, **settings)
        loop, hub = runner.train_loop, runner.message_hub
        batch = next(iter(loop.dataloader))
        runner.call_hook('before_run')
        runner.resume(str(path))  # builds what files are compared with
        runner._load_from, runner._resume = str(path), True
        owners = [hub, *runner.param_schedulers]
        fresh = [
            {name: value for name, value in vars(owner).items() if name != 'optimizer'}
            for owner in owners
        ]
        fresh = copy.deepcopy(fresh)

        def forget() -> None:
            """Removes what the last file has brought."""
            for owner, attributes in zip(owners, fresh, strict=True):
                for name in vars(owner).keys() - attributes.keys() - {'optimizer'}:
                    del vars(owner)[name]
                vars(owner).update(copy.deepcopy(attributes))
            runner.optim_wrapper.base_param_settings = None

        def damage(rng: Random) -> bytes:
            kind = rng.random()
            if kind < 0.05:
                return damaged_bytes(rng, valid)
            if kind < 0.1:
                return repacked(rng, valid)
            if kind < 0.5:
                return saved(_with_a_changed_tensor(rng, content))
            weights = content['state_dict']
            others = {k: v for k, v in content.items() if k != 'state_dict'}
            part = rng.choice([*others])
            others[part] = damaged_value(rng, others[part])
            try:
                return saved({**others, 'state_dict': weights})
            except Exception:  # not everything can be saved
                return damaged_bytes(rng, valid)

        def read() -> Any:
            forget()
            runner.resume(str(path))
            diverges = _has_large_numbers(runner)
            runner.optim_wrapper.initialize_count_status(runner.model, loop.iter, 99)
            runner.call_hook('before_train')
            runner.call_hook('before_train_epoch')
            for number in range(2):
                loop.run_iter(number, batch)
            for hook in runner.hooks:
                if isinstance(hook, ParamSchedulerHook):
                    hook.after_train_epoch(runner)
            if diverges or _has_large_numbers(runner):
                return None  # a run that diverges ends by itself
            rates = [group['lr'] for group in runner.optim_wrapper.param_groups]
            return rates, {**runner.model.state_dict()}

        valid = saved(content)
        return Subject(path, [valid], damage, read)

    return prepare


TARGETS = {
    'resume': Target(_resume(_ADAM), 40),
    'resume_averages': Target(_resume(_SGD), 40),
}
