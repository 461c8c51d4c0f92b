"""Logs how fast a run trains, and what its teacher costs."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook, LoggerHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.reports.complexity import count

#: The methods of a teacher that take time.
_WORK = ('start', 'finish')


@HOOKS.register_module()
class TrainingSpeedHook(Hook):
    """Adds ``people_per_second`` and ``teacher_share`` to the log.

    The first counts the people of all processes. The second is the time that the
    teacher takes alone, as a share of the mean step: more than what it adds to a step
    if it runs beside the student on a GPU. It is measured in the steps that are logged;
    only in these the host waits for the GPU.

    Before the first step it logs the size of the network, as the reference counts.
    """

    # After the timer, and before the logger.
    priority = 'NORMAL'

    def __init__(self) -> None:
        self._seconds = 0.0
        self._batch = 0  # the people of a full batch
        self._has_counted = False

    def before_train(self, runner: Runner) -> None:
        """Finds the logger and the model."""
        self._model = bare_model(runner.model)
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = loggers[0].interval if loggers else 0

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Starts to time the teacher, if the step will be logged."""
        inputs = (data_batch or {}).get('inputs', ())
        if not self._has_counted and len(inputs) and runner.rank == 0:
            self._has_counted = True
            height, width = inputs[0].shape[-2:]
            size = count(self._model, (width, height))
            runner.logger.info(
                f'Network: {size.params:,} parameters, {size.gflops_reference:.3f} '
                f'GFLOPs for {width}x{height}'
            )
        self._seconds = 0.0
        if self._is_logged(batch_idx) and isinstance(self._model, FPDDistiller):
            teacher = self._model.teacher
            for name in _WORK:
                setattr(teacher, name, self._timed(getattr(teacher, name)))

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Gives both values to the log."""
        self._batch = max(self._batch, len((data_batch or {}).get('inputs', ())))
        if not self._is_logged(batch_idx):
            return
        times = runner.message_hub.log_scalars.get('train/time')
        if times is None:  # without the timer
            return
        window = runner.log_processor.window_size
        step = max(times.mean(window if isinstance(window, int) else None), 1e-9)
        people = self._batch * get_world_size()
        runner.message_hub.update_scalar('train/people_per_second', people / step)
        if isinstance(self._model, FPDDistiller):
            for name in _WORK:
                vars(self._model.teacher).pop(name, None)
            runner.message_hub.update_scalar(
                'train/teacher_share', self._seconds / step
            )

    def _is_logged(self, batch_idx: int) -> bool:
        return self._interval > 0 and self.every_n_inner_iters(
            batch_idx, self._interval
        )

    def _timed(self, function: Callable) -> Callable:
        @wraps(function)
        def run(*args: Any) -> Any:
            _wait()
            started = time.perf_counter()
            result = function(*args)
            _wait()
            self._seconds += time.perf_counter() - started
            return result

        return run


def _wait() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
