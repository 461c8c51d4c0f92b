"""The best checkpoints of a run, one for each metric."""

from mmengine.hooks import CheckpointHook as StockCheckpointHook
from mmengine.runner import Runner

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import is_finite_number, is_number
from fpd_mmpose.runs.checkpoint_folder import (
    CheckpointFolder,
    drop_bad_scores,
    limit_kept_steps,
    score_in,
    take_outdated,
)
from fpd_mmpose.runs.run_position import validation_is_due


class BestCheckpoints(StockCheckpointHook):
    """Keeps the best checkpoints until better ones are complete."""

    _folder: CheckpointFolder
    _outdated: list[str]
    _replaced: dict[str, str | None]

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

    def _adopt_bests(self, runner: Runner) -> None:
        """Adopts the best checkpoints, as far as they are in this run's own folder."""
        info = runner.message_hub.runtime_info
        self._bests = {
            key: self._folder.own_best(path, self._metric(key))
            for key, path in self._bests.items()
        }
        # A validation that is made up for saves its best checkpoint again.
        if not validation_is_due(runner):
            self._adopt_newer_bests(runner)
        for key, path in self._bests.items():
            info.pop(_info_key('best_ckpt', key), None)
            if path:
                runner.message_hub.update_info(_info_key('best_ckpt', key), path)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
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


def _info_key(name: str, key: str) -> str:
    return f'{name}_{key}' if key else name
