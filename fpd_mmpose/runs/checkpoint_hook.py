"""MMEngine's checkpoint hook, made safe against kills, hostile files, and NaN."""

import os.path as osp
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import FileClient, get_file_backend
from mmengine.hooks import CheckpointHook as StockCheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_bytes
from fpd_mmpose.finite import is_finite_number, is_number
from fpd_mmpose.runs.checkpoint_folder import (
    CheckpointFolder,
    drop_bad_scores,
    limit_kept_steps,
    score_in,
    take_outdated,
)
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
class CheckpointHook(StockCheckpointHook):
    """Saves as MMEngine's hook of this name does, and never loses a good checkpoint.

    * Checkpoints are written atomically. Outdated ones are removed once the new one
      and ``last_checkpoint`` are in place.
    * ``resume=True`` resumes from the newest checkpoint that can be read, or starts
      from ``load_from`` if there is none.
    * Of the paths that a checkpoint names, only the file names count, inside this run's
      own folder, and only if this hook writes such names.
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
        UserError: If ``non_finite_loss`` is neither.
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
        self.watch = FiniteWatch(non_finite_loss, max_skipped_steps)
        self._outdated: list[str] = []  # removed after the next save
        self._replaced: dict[str, str | None] = {}

    # --- Starting ------------------------------------------------------------------

    def before_run(self, runner: Runner) -> None:
        """Chooses the checkpoint to resume from; see :func:`choose_start`."""
        hooks = _checkpoint_hooks(runner)
        # Runners of other types have their own formats and choose for themselves.
        if self is hooks[0] and isinstance(runner, Runner):
            choose_start(runner, [hook._folder_for(runner) for hook in hooks])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Checks a checkpoint that is to be resumed, and cleans the log in it."""
        if source := getattr(runner, 'resuming', None):
            check_resumable(checkpoint, source)
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
            self._bests = {
                key: self._folder.own_best(path, self._metric(key))
                for key, path in self._bests.items()
            }
            self._adopt_newer_bests(runner)
            for key, path in self._bests.items():
                info.pop(_info_key('best_ckpt', key), None)
                if path:
                    runner.message_hub.update_info(_info_key('best_ckpt', key), path)
        if is_main_process():
            self._folder.remove_temporary_files(runner.work_dir)
        if self is _checkpoint_hooks(runner)[0]:
            # Imported here: the plugin registers this hook before MMPose is there.
            from fpd_mmpose.checks.preflight import check_before_training

            warn_if_complete(runner, self.out_dir)
            check_before_training(runner)
            self.watch.start(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Prepares for a step that may have to be skipped."""
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
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

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
        if is_main_process():
            pointer = osp.join(runner.work_dir, 'last_checkpoint')
            write_bytes(pointer, self.last_ckpt.encode())
            in_use = {self.last_ckpt, *(self._bests.values() if self.save_best else ())}
            for path in {*self._outdated} - in_use:
                self._folder.remove(path)
        self._outdated, self._replaced = [], {}

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        self._check_finite(runner, runner.iter)
        # MMEngine would remove a previous best before it writes the new one.
        self._replaced = before = dict(self._bests)
        for key in {*self.key_indicators} - {'auto', *metrics}:
            raise UserError(
                f'default_hooks.checkpoint.save_best is "{key}", but the validation '
                f'computes {", ".join(metrics)}'
            )
        self._bests = dict.fromkeys(before)
        # MMEngine ignores a score of None.
        usable = {
            name: None if is_number(value) and not is_finite_number(value) else value
            for name, value in metrics.items()
        }
        super()._save_best_checkpoint(runner, usable)
        self._bests = {key: path or before[key] for key, path in self._bests.items()}

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

    # --- The best checkpoints --------------------------------------------------------

    @property
    def _bests(self) -> dict[str, str | None]:
        """Paths of the best checkpoints by metric; the key of a single one is ''."""
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return self.best_ckpt_path_dict

    @_bests.setter
    def _bests(self, paths: dict[str, str | None]) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths.get('')
        else:
            self.best_ckpt_path_dict = dict(paths)

    def _metric(self, key: str) -> str:
        return key or self.key_indicators[0]

    def _distrust(self, info: dict, runner: Runner) -> list[str]:
        """Drops impossible records; returns the checkpoints to remove later."""
        if self.save_best is not None:
            several = len(self.key_indicators) > 1
            keys = self.key_indicators if several else ['']
            names = [_info_key('best_score', key) for key in keys]
            drop_bad_scores(info, names, runner.logger)
        now = runner.epoch if self.by_epoch else runner.iter
        steps = limit_kept_steps(info, now, self.max_keep_ckpts)
        outdated = take_outdated(info, self._folder, self.save_best or ())
        return [
            *(self._folder.checkpoint(step) for step in steps),
            *(self._folder.file(name) for name in outdated),
        ]

    def _adopt_newer_bests(self, runner: Runner) -> None:
        """Adds best checkpoints that were saved after the resumed one."""
        hub = runner.message_hub
        bests = dict(self._bests)
        now = self.filename_tmpl.format(runner.epoch if self.by_epoch else runner.iter)
        for key, known in self._bests.items():
            metric = self._metric(key)
            file = f'best_{metric}_{now}'.replace('/', '_')
            path = self._folder.own_best(file, metric)
            if path is None or path == known:
                continue
            name = _info_key('best_score', key)
            score = score_in(path, name)
            if score is not None and (
                name not in hub.runtime_info
                or self.is_better_than[metric](score, hub.get_info(name))
            ):
                hub.update_info(name, score)
                bests[key] = path
                self._outdated += [known] if known else []
        self._bests = bests

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


def _info_key(name: str, key: str) -> str:
    return f'{name}_{key}' if key else name
