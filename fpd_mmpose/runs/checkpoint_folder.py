"""The folder that a checkpoint hook writes to, and what a checkpoint says of it."""

import logging
import os.path as osp
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from mmengine.fileio import LocalBackend
from mmengine.runner.checkpoint import CheckpointLoader

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import target_of_temporary
from fpd_mmpose.finite import is_finite_number

#: The checkpoint of a run that was told to stop within an epoch.
INTERRUPTED = 'interrupted.pth'


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder of checkpoints that are named after a hook's ``filename_tmpl``.

    Paths that come out of a checkpoint count by their file name alone, and only if the
    hook writes such names.
    """

    backend: LocalBackend
    path: str
    template: str

    def file(self, name: str) -> str:
        """Returns the path of a file in this folder."""
        return self.backend.join_path(self.path, name)

    def checkpoint(self, step: int) -> str:
        """Returns the path of the checkpoint of an epoch or iteration."""
        return self.file(self.template.format(step))

    def step_of(self, name: str) -> int | None:
        """Reads the epoch or iteration from a file name.

        It is 0 if names hold no number, and None if the hook writes no such name.
        """
        match = re.fullmatch(self._pattern, name)
        if match is None:
            return None
        step = int(match[1]) if match.groups() else 0
        return step if self.template.format(step) == name else None

    def is_best(self, metric: str, name: str) -> bool:
        """Checks whether a file name is that of a best checkpoint; 'auto' is any."""
        key = '.+' if metric == 'auto' else re.escape(metric.replace('/', '_'))
        return bool(re.fullmatch(f'best_{key}_{self._pattern}', name))

    def own_best(self, path: Any, metric: str) -> str | None:
        """Finds a best checkpoint in this folder by a path from an untrusted file."""
        name = base_name(path)
        if name is None or not self.is_best(metric, name):
            return None
        own = self.file(name)
        return own if self.backend.exists(own) else None

    def remove(self, path: str) -> None:
        """Removes a checkpoint, which DeepSpeed saves as a folder."""
        if self.backend.isfile(path):
            self.backend.remove(path)
        elif self.backend.isdir(path):
            self.backend.rmtree(path)

    def remove_temporary_files(self, work_dir: str) -> None:
        """Removes what a killed process left of its files, here and in ``work_dir``."""
        for folder in {self.path, work_dir}:
            for path in Path(folder).glob('.*') if osp.isdir(folder) else ():
                name = target_of_temporary(path.name)
                if name and (
                    name in ('last_checkpoint', INTERRUPTED)
                    or self.step_of(name) is not None
                    or self.is_best('auto', name)
                ):
                    path.unlink(missing_ok=True)

    @property
    def _pattern(self) -> str:
        return ''.join(
            re.escape(text) + ('' if field is None else '([0-9]{1,18})')
            for text, field, *_ in Formatter().parse(self.template)
        )


def base_name(path: Any) -> str | None:
    """Takes the file name from what should be a path; None if it has none."""
    if not isinstance(path, str):
        return None
    name = re.split(r'[\\/]', path.strip())[-1]
    return None if name in ('', '.', '..') or '\0' in name else name


def named_in(pointer: Path) -> str | None:
    """Reads the file name from mmengine's ``last_checkpoint``."""
    try:
        with pointer.open('rb') as file:
            return base_name(file.read(4096).decode(errors='replace'))
    except OSError:
        return None


def drop_bad_scores(info: dict, names: Iterable[str], logger: logging.Logger) -> None:
    """Drops best scores that are not finite numbers."""
    for name in names:
        if name in info and not is_finite_number(info[name]):
            logger.warning(f'{name} of the checkpoint is not a finite number')
            del info[name]


def limit_kept_steps(info: dict, now: int, limit: int) -> list[int]:
    """Keeps the last ``limit`` of the recorded steps; returns those that must go.

    ``limit`` is not positive if all are kept. Steps that cannot be the run's are
    dropped.
    """
    recorded = info.get('keep_ckpt_ids')
    steps = sorted(
        {step for step in recorded if type(step) is int and 0 < step <= now}
        if isinstance(recorded, list)
        else ()
    )
    surplus = len(steps) - limit if limit > 0 else 0
    info['keep_ckpt_ids'] = steps[max(surplus, 0) :]
    return steps[: max(surplus, 0)]


def take_outdated(
    info: dict, folder: CheckpointFolder, metrics: Iterable[str]
) -> list[str]:
    """Takes the names of checkpoints that a killed run was about to remove."""
    recorded = info.get('outdated_ckpts')
    info['outdated_ckpts'] = []
    oldest_kept = min(info['keep_ckpt_ids'], default=0)
    metrics = list(metrics)
    names = [base_name(name) for name in recorded] if isinstance(recorded, list) else []
    return [
        name
        for name in names
        if name
        and (
            0 < (folder.step_of(name) or 0) < oldest_kept
            or any(folder.is_best(metric, name) for metric in metrics)
        )
    ]


def score_in(path: str, name: str) -> float | None:
    """Reads the score that a best checkpoint holds; None if it is not usable."""
    try:
        saved = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        score = saved['message_hub']['runtime_info'][name]
    except (UserError, OSError, KeyError, TypeError):
        return None
    return score if is_finite_number(score) else None
