"""MMEngine's checkpoint hook, made safe against kills, hostile files and NaN."""

import math
import os.path as osp
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import FileClient, LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook as StockCheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import target_of_temporary, write_bytes
from fpd_mmpose.finite import is_number
from fpd_mmpose.runs.checkpoint_names import base_name, is_best, step_of
from fpd_mmpose.runs.finite_watch import FiniteWatch
from fpd_mmpose.runs.resuming import (
    check_resumable,
    choose_start,
    clean_message_hub,
    say_if_complete,
)


# In MMEngine's own registry, so that every config with this package among its
# `custom_imports` gets it, whatever its default scope.
@HOOKS.register_module(force=True)
class CheckpointHook(StockCheckpointHook):
    """Saves as MMEngine's hook of this name does, and never loses a good checkpoint.

    * A checkpoint appears whole or not at all, and outdated ones are removed after it
      and ``last_checkpoint`` are in place.
    * ``resume=True`` goes on from the newest checkpoint that can be read, and without
      any from ``load_from``.
    * Paths that a checkpoint names count by their file name, inside this run's own
      folder, and as far as this hook writes such names.
    * A loss or a weight that is NaN or infinite stops the run before anything is
      saved, and such a score is never the best.

    Args:
        *args: See :class:`mmengine.hooks.CheckpointHook`.
        non_finite_loss (str): What happens where a loss is NaN or infinite: ``'stop'``
            ends the run; ``'skip'`` leaves out the optimizer step, with the gradients
            that were accumulated for it. Defaults to ``'stop'``.
        max_skipped_steps (int): With ``'skip'``, more skipped steps than this end the
            run. Defaults to 100.
        **kwargs: See :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        UserError: If ``non_finite_loss`` is neither. One line.
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
        """Finds what to resume, see :func:`choose_start`.

        Args:
            runner (Runner): The runner, before it loads anything.

        Raises:
            UserError: If there are checkpoints and none can be read.
        """
        hooks = _checkpoint_hooks(runner)
        # Other runners have their own formats, and choose for themselves.
        if self is hooks[0] and isinstance(runner, Runner):
            choose_start(runner, [hook._place(runner) for hook in hooks])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Checks a checkpoint that is to be resumed.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file holds; the log in it is cleaned.

        Raises:
            UserError: If it cannot be resumed. One line.
        """
        if source := getattr(runner, 'resuming', None):
            check_resumable(checkpoint, source)
            clean_message_hub(checkpoint['message_hub'])
            if 'optimizer' not in checkpoint and self.save_optimizer:
                runner.logger.warning(
                    f'"{source}" holds no state of the optimizer, as best checkpoints '
                    'do not: optimizer and schedule start anew'
                )

    def before_train(self, runner: Runner) -> None:
        """Takes over what the checkpoint says of others, as far as it can be true.

        Args:
            runner (Runner): The runner, with its checkpoint loaded.

        Raises:
            UserError: If the weights are not finite, or another run's checkpoint has
                nothing left to train. One line.
        """
        info = runner.message_hub.runtime_info
        self._outdated = self._distrust(info, runner)
        super().before_train(runner)
        if self.save_best is not None:
            self._bests = {
                key: self._own_best(path, key) for key, path in self._bests.items()
            }
            self._bests = self._newer_bests(runner)
            for key, path in self._bests.items():
                info.pop(_info_key('best_ckpt', key), None)
                if path:
                    runner.message_hub.update_info(_info_key('best_ckpt', key), path)
        if is_main_process():
            self._remove_temporary_files({self.out_dir, runner.work_dir})
        if self is _checkpoint_hooks(runner)[0]:
            say_if_complete(runner, self.out_dir)
            self.watch.start(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Prepares for a step that may have to be skipped.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Not used.
            data_batch: Not used.
        """
        self.watch.before_step(runner)

    # --- Saving --------------------------------------------------------------------

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Looks at the loss, and saves where iterations are counted.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Number of the batch.
            data_batch: Not used.
            outputs (dict, optional): Log variables.

        Raises:
            UserError: If the loss is not finite. One line.
        """
        if self is _checkpoint_hooks(runner)[0]:
            self._stop_for(runner, self.watch.after_step(runner, outputs))
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_train(self, runner: Runner) -> None:
        """Publishes checkpoints, if configured.

        Args:
            runner (Runner): The runner.
        """
        if self.published_keys is not None and self.save_best is not None:
            # MMEngine takes every metric to have a best checkpoint.
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
        # A run that is killed before it removes them does so when it is resumed.
        outdated = [osp.basename(path) for path in self._outdated]
        runner.message_hub.update_info('outdated_ckpts', outdated)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
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
                self._remove(path)
        self._outdated, self._replaced = [], {}

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        self._check_finite(runner, runner.iter)
        # MMEngine would remove a previous best before it writes the new one.
        self._replaced = before = dict(self._bests)
        self._bests = dict.fromkeys(before)
        super()._save_best_checkpoint(runner, _usable(metrics))
        self._bests = {key: path or before[key] for key, path in self._bests.items()}

    def _keep(self, runner: Runner, step: int) -> None:
        kept = self.keep_ckpt_ids
        if kept and kept[-1] == step:
            return
        if len(kept) == self.max_keep_ckpts:
            self._outdated.append(self._path(kept[0]))
        kept.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(kept))

    def _path(self, step: int) -> str:
        name = self.filename_tmpl.format(step)
        return self.file_backend.join_path(self.out_dir, name)

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # of DeepSpeed
            self.file_backend.rmtree(path)

    # --- What a checkpoint says of other files ---------------------------------------

    @property
    def _best_keys(self) -> list[str]:
        return [''] if len(self.key_indicators) == 1 else self.key_indicators

    @property
    def _bests(self) -> dict[str, str | None]:
        """Paths of the best checkpoints by metric; '' is a single one."""
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return self.best_ckpt_path_dict

    @_bests.setter
    def _bests(self, paths: dict[str, str | None]) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths.get('')
        else:
            self.best_ckpt_path_dict = dict(paths)

    def _distrust(self, info: dict, runner: Runner) -> list[str]:
        """Drops numbers that this hook cannot have written.

        Returns:
            list[str]: Checkpoints beyond ``max_keep_ckpts``; they go after a new one
            is in place.
        """
        if self.save_best is not None:
            for key in self._best_keys:
                name = _info_key('best_score', key)
                if name in info and not _is_finite(info[name]):
                    runner.logger.warning(f'{name} of the checkpoint is no number')
                    del info[name]
        _, folder, template = self._place(runner)
        now = runner.epoch if self.by_epoch else runner.iter
        kept = info.get('keep_ckpt_ids')
        steps = sorted(
            {step for step in kept if type(step) is int and 0 < step <= now}
            if isinstance(kept, list)
            else ()
        )
        limit = self.max_keep_ckpts if self.max_keep_ckpts > 0 else len(steps)
        outdated = [template.format(step) for step in steps[: len(steps) - limit]]
        info['keep_ckpt_ids'] = steps[len(steps) - limit :]
        named = info.pop('outdated_ckpts', None)
        for name in named if isinstance(named, list) else ():
            name = base_name(name)
            if name and (
                0
                < (step_of(template, name) or 0)
                < min(info['keep_ckpt_ids'], default=0)
                or any(
                    is_best(template, metric, name) for metric in self.save_best or ()
                )
            ):
                outdated.append(name)
        return [osp.join(folder, name) for name in outdated]

    def _own_best(self, path: Any, key: str) -> str | None:
        name = base_name(path)
        if name is None or not is_best(
            self.filename_tmpl, key or self.key_indicators[0], name
        ):
            return None
        own = self.file_backend.join_path(self.out_dir, name)
        return own if self.file_backend.exists(own) else None

    def _newer_bests(self, runner: Runner) -> dict[str, str | None]:
        """Adds best checkpoints that a kill kept the resumed one from naming."""
        hub = runner.message_hub
        bests = dict(self._bests)
        now = self.filename_tmpl.format(runner.epoch if self.by_epoch else runner.iter)
        for key, known in self._bests.items():
            metric = key or self.key_indicators[0]
            path = self._own_best(f'best_{metric}_{now}'.replace('/', '_'), key)
            if path is None or path == known:
                continue
            name = _info_key('best_score', key)
            try:
                saved = CheckpointLoader.load_checkpoint(path, map_location='cpu')
                score = saved['message_hub']['runtime_info'][name]
            except (ValueError, OSError, KeyError, TypeError):
                continue
            if _is_finite(score) and (
                name not in hub.runtime_info
                or self.is_better_than[metric](score, hub.get_info(name))
            ):
                hub.update_info(name, score)
                bests[key] = path
                self._outdated += [known] if known else []
        return bests

    def _place(self, runner: Runner) -> tuple[LocalBackend, str, str]:
        # As MMEngine's before_train() does.
        folder = runner.work_dir if self.out_dir is None else self.out_dir
        if self.file_client_args is None:
            backend = get_file_backend(folder, backend_args=self.backend_args)
        else:
            backend = FileClient.infer_client(self.file_client_args, folder)
        if folder != runner.work_dir:
            name = osp.basename(runner.work_dir.rstrip(osp.sep))
            folder = backend.join_path(folder, name)
        return backend, folder, self.filename_tmpl

    def _remove_temporary_files(self, folders: Iterable[str]) -> None:
        """Removes what a killed process has left of the files that this hook writes."""
        for folder in {folder for folder in folders if osp.isdir(folder)}:
            for path in Path(folder).glob('.*'):
                name = target_of_temporary(path.name)
                if name and (
                    name == 'last_checkpoint'
                    or step_of(self.filename_tmpl, name) is not None
                    or is_best(self.filename_tmpl, 'auto', name)
                ):
                    path.unlink(missing_ok=True)

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
    """All of a run; the first one answers for what concerns the run as a whole."""
    return [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]


def _info_key(name: str, key: str) -> str:
    return f'{name}_{key}' if key else name


def _usable(metrics: dict) -> dict:
    """MMEngine passes over a score of None."""
    return {
        name: value if not is_number(value) or math.isfinite(value) else None
        for name, value in metrics.items()
    }


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)
