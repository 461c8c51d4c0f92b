"""Shows a progress bar instead of a log."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm

from fpd_mmpose.progress import progress_bar


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
        self._bar = progress_bar(
            runner.max_iters,
            self.label,
            'step',
            initial=runner.iter,
            disable=runner.rank != 0,
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
