"""MMEngine's checkpoint hook, made safe against kills, hostile files, and NaN."""

import inspect
import os.path as osp
import shlex
import sys
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.fileio import FileClient, get_file_backend
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from fpd_mmpose.config_mistakes import unknown_field
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_bytes
from fpd_mmpose.runs import run_position
from fpd_mmpose.runs.best_checkpoints import BestCheckpoints
from fpd_mmpose.runs.checkpoint_folder import INTERRUPTED, CheckpointFolder
from fpd_mmpose.runs.finite_watch import FiniteWatch
from fpd_mmpose.runs.resuming import (
    check_resumable,
    choose_start,
    clean_message_hub,
    warn_if_complete,
)


# In MMEngine's own registry, so that every config with this package among its
# `custom_imports` gets it, whatever its default scope.
@HOOKS.register_module(force=True)
class CheckpointHook(BestCheckpoints):
    """Saves as MMEngine's hook of this name does, and never loses a good checkpoint.

    * Checkpoints are written atomically. Outdated ones are removed once the new one
      and ``last_checkpoint`` are in place.
    * ``resume=True`` resumes from the newest checkpoint that can be read, or starts
      from ``load_from`` if there is none.
    * Of the paths that a checkpoint names, only the file names count, inside this run's
      own folder, and only if this hook writes such names.
    * A resumed run goes on as if it had never stopped: with the next batch, the same
      random numbers, and the validation that a kill prevented.
    * On SIGTERM or SIGINT (Ctrl-C), the run finishes its step, saves
      ``interrupted.pth``, and exits with status 143 or 130. The second signal ends it
      at once.
    * The run stops before it saves a weight, or continues after a loss, that is NaN or
      infinite. Such a score is never the best.

    Args:
        *args: See :class:`mmengine.hooks.CheckpointHook`.
        non_finite_loss: What to do if a loss is NaN or infinite: ``'stop'`` ends the
            run; ``'skip'`` leaves out the optimizer step, with the gradients that were
            accumulated for it.
        max_skipped_steps: With ``'skip'``, the run ends after more skipped steps.
        **kwargs: See :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        UserError: If ``non_finite_loss`` is neither, or there is no such field.
    """

    def __init__(
        self,
        *args: Any,
        non_finite_loss: str = 'stop',
        max_skipped_steps: int = 100,
        **kwargs: Any,
    ):
        if non_finite_loss not in ('stop', 'skip'):
            raise UserError(
                f"non_finite_loss must be 'stop' or 'skip', got {non_finite_loss!r}"
            )
        super().__init__(*args, **kwargs)
        # MMEngine passes fields that it does not know to the runner, at the first save.
        known = inspect.signature(Runner.save_checkpoint).parameters
        if unknown := next((name for name in self.args if name not in known), None):
            raise UserError(unknown_field(CheckpointHook, unknown))
        self.watch = FiniteWatch(non_finite_loss, max_skipped_steps)
        self._outdated: list[str] = []  # removed after the next save
        self._replaced: dict[str, str | None] = {}
        self._saved: dict[str, int] | None = None  # epoch and iteration

    # --- Starting ------------------------------------------------------------------

    def before_run(self, runner: Runner) -> None:
        """Logs the command, and chooses the checkpoint to resume from, if any."""
        hooks = _checkpoint_hooks(runner)
        # Runners of other types have their own formats and choose for themselves.
        if self is hooks[0] and isinstance(runner, Runner):
            # Not `sys.argv`: commands set it anew for MMPose's scripts.
            spawned = '-c' in sys.orig_argv
            # Python itself, where somebody types.
            program, *words = (sys.argv if spawned else sys.orig_argv[1:]) or ['python']
            line = shlex.join([osp.basename(program), *words])
            runner.logger.info(f'Command line: {line}')
            choose_start(runner, [hook._folder_for(runner) for hook in hooks])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Checks a checkpoint that is to be resumed, and cleans the log in it."""
        if source := getattr(runner, 'resuming', None):
            check_resumable(checkpoint, source, runner.resumed_schedules)
            clean_message_hub(checkpoint['message_hub'])
            if 'optimizer' not in checkpoint and self.save_optimizer:
                runner.logger.warning(
                    f'"{source}" holds no state of the optimizer, as best checkpoints '
                    'do not: optimizer and schedule start anew'
                )

    def before_train(self, runner: Runner) -> None:
        """Adopts what the checkpoint says of other files, as far as it can be true."""
        info = runner.message_hub.runtime_info
        self._folder = self._folder_for(runner)
        self._outdated = self._distrust(info, runner)
        super().before_train(runner)
        if self.save_best is not None:
            self._adopt_bests(runner)
        source = runner._load_from if runner._resume else None
        if source and osp.dirname(source) == self._folder.path:
            self._saved = dict(epoch=runner.epoch, iter=runner.iter)
        if is_main_process():
            self._folder.remove_temporary_files(runner.work_dir)
        if self is _checkpoint_hooks(runner)[0]:
            # Imported here: the plugin registers this hook before MMPose is there.
            from fpd_mmpose.checks.preflight import check_before_training

            warn_if_complete(runner, self.out_dir)
            check_before_training(runner)
            self.watch.start(runner)
            run_position.go_on(runner)
            if signals := getattr(runner, 'stop_signals', None):
                signals.listen()
        if self is _checkpoint_hooks(runner)[-1]:
            run_position.validate_if_missed(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seeds the step, which may have to be skipped."""
        if self is _checkpoint_hooks(runner)[0]:
            run_position.seed_step(runner)
        self.watch.before_step(runner)

    # --- Saving --------------------------------------------------------------------

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Checks the loss, and saves if the hook counts iterations."""
        if self is _checkpoint_hooks(runner)[0]:
            self._stop_for(runner, self.watch.after_step(runner, outputs))
            run_position.count_batch(runner)
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper) or wrapper.should_update():
            self._stop_if_told(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Saves if the hook counts epochs."""
        run_position.start_epoch(runner)
        super().after_train_epoch(runner)

    def after_val_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stops a validation if the run can be resumed before it."""
        # Several processes may have different numbers of batches.
        if get_world_size() == 1 and self._saved == dict(
            epoch=runner.epoch, iter=runner.iter
        ):
            self._stop_if_told(runner, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Saves if the score is the best one."""
        if self.save_best:
            self._check_finite(runner, runner.iter)
        super().after_val_epoch(runner, metrics)
        self._stop_if_told(runner, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Adds the scores of a distillation so far to the metadata."""
        if scores := self._scores(runner):
            checkpoint['meta']['scores'] = scores

    def after_train(self, runner: Runner) -> None:
        """Logs the scores of a distillation, and publishes checkpoints if asked to."""
        if scores := self._scores(runner):
            from fpd_mmpose.reports.outcome import outcome_table

            runner.logger.info(f'Scores:\n{outcome_table(scores)}')
        if self.published_keys is not None and self.save_best is not None:
            # MMEngine assumes that every metric has a best checkpoint.
            self._bests = {key: path for key, path in self._bests.items() if path}
        super().after_train(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._check_finite(runner, meta['iter'])
        if self.max_keep_ckpts > 0:
            self._keep(runner, step)
        self._outdated += [
            path
            for key, path in self._replaced.items()
            if path and self._bests[key] not in (None, path)
        ]
        # If the run is killed before it removes them, it does so once resumed.
        outdated = [osp.basename(path) for path in self._outdated]
        runner.message_hub.update_info('outdated_ckpts', outdated)
        self.last_ckpt = self._folder.checkpoint(step)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            self.filename_tmpl.format(step),
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._saved = {key: meta[key] for key in ('epoch', 'iter')}
        if is_main_process():
            self._point_to(runner, self.last_ckpt)
            self._folder.remove(self._folder.file(INTERRUPTED))
            in_use = {self.last_ckpt, *(self._bests.values() if self.save_best else ())}
            for path in {*self._outdated} - in_use:
                self._folder.remove(path)
        self._outdated, self._replaced = [], {}

    def _stop_if_told(self, runner: Runner, iteration: int) -> None:
        """Saves and exits if the run has received a signal to stop."""
        signals = getattr(runner, 'stop_signals', None)
        if self is not _checkpoint_hooks(runner)[-1] or signals is None:
            return
        told = signals.received()
        if told is None:
            return
        now = dict(epoch=runner.epoch, iter=iteration)
        path = self.last_ckpt or runner._load_from
        if self._saved != now:
            self._check_finite(runner, iteration)
            path = self._folder.file(INTERRUPTED)
            runner.save_checkpoint(
                self.out_dir,
                INTERRUPTED,
                self.file_client_args,
                meta=dict(now),
                backend_args=self.backend_args,
            )
            if is_main_process():
                self._point_to(runner, path)
        runner.logger.warning(
            f'{told.name} after step {iteration} of {runner.max_iters}: to go on from '
            f'"{path}", start the run with --resume'
        )
        raise SystemExit(128 + told)

    @staticmethod
    def _point_to(runner: Runner, path: str) -> None:
        pointer = osp.join(runner.work_dir, 'last_checkpoint')
        write_bytes(pointer, path.encode())

    def _scores(self, runner: Runner) -> dict[str, dict[str, float]]:
        # Imported here: it needs MMPose, as the checks before training do.
        from fpd_mmpose.reports.outcome import scores_so_far

        metrics = self.key_indicators if self.save_best else [None]
        return scores_so_far(runner, metrics[0])

    def _keep(self, runner: Runner, step: int) -> None:
        kept = self.keep_ckpt_ids
        if kept and kept[-1] == step:
            return
        if len(kept) == self.max_keep_ckpts:
            self._outdated.append(self._folder.checkpoint(kept[0]))
        kept.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(kept))

    def _folder_for(self, runner: Runner) -> CheckpointFolder:
        # As MMEngine's before_train() does.
        folder = runner.work_dir if self.out_dir is None else self.out_dir
        if self.file_client_args is None:
            backend = get_file_backend(folder, backend_args=self.backend_args)
        else:
            backend = FileClient.infer_client(self.file_client_args, folder)
        if folder != runner.work_dir:
            name = osp.basename(runner.work_dir.rstrip(osp.sep))
            folder = backend.join_path(folder, name)
        return CheckpointFolder(backend, folder, self.filename_tmpl)

    # --- Numbers that are not finite -------------------------------------------------

    def _check_finite(self, runner: Runner, step: int) -> None:
        watch = _checkpoint_hooks(runner)[0].watch
        problem = watch.loss_problem() or watch.weights_problem(runner, step)
        self._stop_for(runner, problem)

    def _stop_for(self, runner: Runner, problem: str | None) -> None:
        if problem is None:
            return
        last = self.last_ckpt or (runner._load_from if runner._resume else None)
        raise UserError(
            f'{problem}: try a lower learning rate or gradient clipping, and check the '
            'data. '
            + (
                f'The last good checkpoint is "{last}"'
                if last
                else 'No checkpoint had been saved yet'
            )
        )


def _checkpoint_hooks(runner: Runner) -> list[CheckpointHook]:
    """Lists those of a run; the first one handles what concerns the whole run."""
    return [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
