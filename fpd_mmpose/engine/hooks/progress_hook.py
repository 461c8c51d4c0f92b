"""Shows a progress bar instead of a log."""

import sys

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows a training run as a bar with the loss and the last validation score.

    Args:
        label: Name of the run, shown before the bar.
        metric: Validation metric to show.
    """

    priority = 'VERY_LOW'
    _bar: tqdm

    def __init__(self, label: str, metric: str = 'PCKh/Mean'):
        self.label = label
        self.metric = metric
        self._shown: dict[str, str] = {}

    def before_train(self, runner: Runner) -> None:
        """Opens the bar at the step where the run starts or resumes."""
        on_terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=runner.max_iters,
            initial=runner.iter,
            desc=self.label,
            unit='step',
            disable=runner.rank != 0,
            # A file gets a line every few seconds rather than a redrawn bar.
            mininterval=0.1 if on_terminal else 5,
            ascii=not on_terminal,
            dynamic_ncols=on_terminal,
        )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Moves the bar, and updates the loss every ten steps."""
        if outputs and self._bar.n % 10 == 0:
            self._shown['loss'] = f'{float(outputs["loss"]):.4f}'
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update()

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Shows the score."""
        if metrics and self.metric in metrics:
            self._shown[self.metric] = f'{metrics[self.metric]:.1f}'

    def after_train(self, runner: Runner) -> None:
        """Closes the bar."""
        self._bar.set_postfix(self._shown)
        self._bar.close()
