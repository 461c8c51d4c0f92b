"""One line of progress instead of a log."""

import sys

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows a training run as a bar with the loss and the last validation score.

    Args:
        label (str): Name of the run, put before the bar.
        metric (str): Validation metric to show. Defaults to ``'PCKh/Mean'``.
    """

    priority = 'VERY_LOW'

    def __init__(self, label: str, metric: str = 'PCKh/Mean'):
        self.label = label
        self.metric = metric
        self._bar: tqdm | None = None
        self._shown: dict[str, str] = {}

    def before_train(self, runner: Runner) -> None:
        """Opens the bar where the run starts or resumes.

        Args:
            runner (Runner): The runner.
        """
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
        """Moves the bar.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Not used.
            data_batch (dict, optional): Not used.
            outputs (dict, optional): Log variables, with ``loss``.
        """
        if outputs and self._bar.n % 10 == 0:
            self._shown['loss'] = f'{float(outputs["loss"]):.4f}'
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update()

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Shows the score.

        Args:
            runner (Runner): The runner.
            metrics (dict, optional): Validation metrics.
        """
        if metrics and self.metric in metrics:
            self._shown[self.metric] = f'{metrics[self.metric]:.1f}'

    def after_train(self, runner: Runner) -> None:
        """Closes the bar.

        Args:
            runner (Runner): The runner.
        """
        self._bar.set_postfix(self._shown)
        self._bar.close()
