"""Finds NaN and infinity in losses and weights before anything is saved."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import RuntimeInfoHook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import non_finite

#: Distributed processes compare their losses every so many steps and before each save.
INTERVAL = 50
_NEVER = 2**62


class FiniteWatch:
    """Watches the losses and weights of a run, and skips bad steps on request.

    Loss values are taken from MMEngine's log, which fetches them from the device in
    each step anyway; skipping costs one more synchronization. Distributed processes
    stop together.
    """

    def __init__(self, action: str, max_skipped: int):
        self.action = action
        self.max_skipped = max_skipped
        self.skipped = 0
        self._bad_step = _NEVER
        self._skipped_now = False
        self._buffers: list[Tensor] = []
        self._constants: frozenset[str] = frozenset()

    def start(self, runner: Runner) -> None:
        """Checks the initial weights, and gets ready for the first step."""
        self._check_start(runner)
        self.skipped, self._bad_step = 0, _NEVER
        self._in_log = any(isinstance(hook, RuntimeInfoHook) for hook in runner.hooks)
        if self.action == 'skip':
            self._skip_steps(runner)

    def before_step(self, runner: Runner) -> None:
        """Saves the buffers, which a forward pass over bad numbers changes."""
        if self.action == 'skip':
            self._buffers = [buffer.clone() for buffer in runner.model.buffers()]

    def after_step(self, runner: Runner, outputs: Any) -> str | None:
        """Checks the losses of a step; see :meth:`loss_problem`.

        Distributed processes report problems every :data:`INTERVAL` steps.
        """
        skipped, self._skipped_now = self._skipped_now, False
        if not skipped and self._bad_step == _NEVER and isinstance(outputs, Mapping):
            losses = (self._value(runner, k, v) for k, v in outputs.items())
            if not all(math.isfinite(loss) for loss in losses):
                self._bad_step = runner.iter + 1
        is_due = get_world_size() == 1 or (runner.iter + 1) % INTERVAL == 0
        return self.loss_problem() if is_due else None

    def loss_problem(self) -> str | None:
        """Names the first step whose loss was not finite in any process, if any.

        All processes must call it, and get the same answer.
        """
        first = torch.tensor(self._bad_step)
        all_reduce(first, op='min')
        if first == _NEVER:
            return None
        skipped = f', after {self.skipped - 1} skipped steps' if self.skipped else ''
        return f'the loss is NaN or infinite in step {first.item()}{skipped}'

    def weights_problem(self, runner: Runner, step: int) -> str | None:
        """Names this process's first weight that is not finite, if any process has one.

        All processes must call it.
        """
        bad = non_finite(bare_model(runner.model).state_dict())
        bad = [name for name in bad if name not in self._constants]
        count = torch.tensor(len(bad))
        all_reduce(count, op='max')
        if not count:
            return None
        first = f' (first {bad[0]})' if bad else ''
        return f'weights are NaN or infinite after step {step}{first}'

    def _check_start(self, runner: Runner) -> None:
        model = bare_model(runner.model)
        state = model.state_dict()
        learned = {name for name, _ in model.named_parameters()}
        learned |= {name for name in state if '.running_' in name}
        bad = non_finite(state)
        wrong = [name for name in bad if name in learned or state[name].isnan().any()]
        if wrong:
            source = f'"{runner._load_from}"' if runner._load_from else 'initialization'
            raise UserError(
                f'the weights are NaN or infinite before the first step (first '
                f'{wrong[0]}, from {source})'
            )
        # Infinite constants, such as an attention mask.
        self._constants = frozenset(bad)

    def _value(self, runner: Runner, name: str, value: Any) -> float:
        # MMEngine minimizes the sum of the values with `loss` in their name.
        if 'loss' not in name:
            return 0.0
        log = runner.message_hub.log_scalars.get(f'train/{name}')
        return float(log.current() if self._in_log and log is not None else value)

    def _skip_steps(self, runner: Runner) -> None:
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper):
            raise UserError(
                "non_finite_loss='skip' needs a single optimizer, and this run has "
                f"{type(wrapper).__name__}: use 'stop'"
            )
        update = wrapper.update_params

        def update_params(loss: Tensor, *args: Any, **kwargs: Any) -> None:
            finite = loss.detach().isfinite().all().int()
            # If one process skipped its backward pass, the others would wait for it.
            all_reduce(finite, op='min')
            if finite:
                update(loss, *args, **kwargs)
            else:
                self._skip(runner, wrapper)

        wrapper.update_params = update_params

    def _skip(self, runner: Runner, wrapper: OptimWrapper) -> None:
        self.skipped += 1
        self._skipped_now = True
        # With gradient accumulation, earlier gradients are dropped too, and the step
        # still counts.
        wrapper.zero_grad()
        wrapper._inner_count += 1
        for buffer, kept in zip(runner.model.buffers(), self._buffers, strict=True):
            buffer.copy_(kept)
        step = runner.iter + 1
        if self.skipped > self.max_skipped:
            self._bad_step = step
        runner.logger.warning(
            f'Step {step} is skipped: its loss is NaN or infinite '
            f'({self.skipped} of at most {self.max_skipped} skipped steps)'
        )
