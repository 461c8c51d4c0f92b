"""Reads finished runs: config, checkpoint, and log."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.text import read_lines, read_text
from fpd_mmpose.reports.literal_config import read_literals
from fpd_mmpose.reports.logs import Log, read_log
from fpd_mmpose.weights.checkpoint import load_file, why_unreadable


@dataclass(frozen=True)
class Start:
    """The weights that a run started from."""

    path: str  # empty if the run was resumed and its first log is missing
    resumed: bool  # whether epochs go on counting


@dataclass(frozen=True)
class Checkpoint:
    """The training that a checkpoint records, without its weights."""

    path: Path
    epoch: int | None = None  # epochs of training
    steps: int | None = None
    experiment: str | None = None  # MMEngine's time-stamped name of the run
    config: str = ''

    @property
    def is_best(self) -> bool:
        """Whether it was saved for its score."""
        return self.path.name.startswith('best_')


@dataclass(frozen=True)
class Run:
    """A finished run."""

    name: str
    config: Config
    checkpoint: Checkpoint
    log: Log
    start: Start | None  # None for random weights

    @property
    def epochs(self) -> int | None:
        """Its own epochs: for a best checkpoint, all that it was chosen from."""
        epoch = self.checkpoint.epoch
        if self.checkpoint.is_best and epoch is not None:
            return max(epoch, self.log.last_epoch)
        return epoch


def read_run(words: Sequence[str]) -> Run:
    """Reads a run given as ``NAME CONFIG CHECKPOINT LOG`` or as ``NAME=WORK_DIR``.

    A work directory stands for its best checkpoint, as in the reference, or for its
    last one if it has no best.
    """
    files: Sequence[str | Path]
    if len(words) == 4:
        name, *files = words
    elif len(words) == 1 and '=' in words[0]:
        name, _, folder = words[0].partition('=')
        files = _files_of(Path(folder))
    else:
        raise UserError(
            'a run must be NAME CONFIG CHECKPOINT LOG or NAME=WORK_DIR, got '
            f'"{" ".join(words)}"'
        )
    try:
        config = load_config(files[0])
        checkpoint = read_checkpoint(files[1])
        log = read_log(files[2])
    except UserError as error:
        raise UserError(f'run "{name}": {error}') from error
    return Run(name, config, checkpoint, log, _start(config, checkpoint, log))


def _files_of(folder: Path) -> tuple[Path, Path, Path]:
    """Returns the config, the checkpoint, and the log of a work directory."""
    if not folder.is_dir():
        raise UserError(f'"{folder}" is not a folder: expected a work directory')
    configs = list(folder.glob('*.py'))
    if len(configs) != 1:
        raise UserError(
            f'"{folder}" has {len(configs)} configs (*.py), expected 1: give the run '
            'as NAME CONFIG CHECKPOINT LOG'
        )
    best = sorted(folder.glob('best_*.pth'))
    if len(best) > 1:
        # For several metrics, or left over from before a restart.
        raise UserError(
            f'"{folder}" has {len(best)} best checkpoints '
            f'({", ".join(path.name for path in best)}): choose one, and give the run '
            'as NAME CONFIG CHECKPOINT LOG'
        )
    if best:
        return configs[0], best[0], folder
    pointer = folder / 'last_checkpoint'
    if not pointer.is_file():
        raise UserError(f'"{folder}" has neither best_*.pth nor last_checkpoint')
    # By name only: the folder may have been moved since.
    name, *_ = [*filter(None, read_lines(pointer, 'the path of a checkpoint')), '']
    return configs[0], folder / Path(name).name, folder


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Reads the training that a checkpoint records, executing nothing in the file."""
    path = Path(path).expanduser()
    if not os.path.isfile(path):  # a name may be too long for Path.is_file()
        raise UserError(f'checkpoint "{path}" does not exist')
    try:
        content = load_file(path)
    except Exception as error:  # of many types
        raise UserError(f'checkpoint {why_unreadable(str(path), error)}') from error
    meta = content.get('meta') if isinstance(content, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    named = re.search(r'epoch_(\d+)\.pth$', path.name)

    def known(field: str, kind: type) -> Any:
        return meta[field] if type(meta.get(field)) is kind else None

    return Checkpoint(
        path,
        epoch=known('epoch', int) or (int(named[1]) if named else None),
        steps=known('iter', int),
        experiment=known('experiment_name', str),
        config=known('cfg', str) or '',
    )


def start_of(config: str) -> Start | None:
    """Finds the weights that a run started from in its dumped config, unexecuted.

    Returns None for random weights, and for text that is not a config.
    """
    values = read_literals(config)
    return _make_start(values.get('load_from'), values.get('resume'))


def same_file(path: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to the same file, which need not exist."""
    try:
        return Path(path).expanduser().resolve() == Path(other).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):  # what a file says need not be a path
        return False


def _make_start(load_from: Any, resume: Any) -> Start | None:
    path = load_from if isinstance(load_from, str) else ''
    return Start(path, bool(resume)) if path or resume else None


def _start(config: Config, checkpoint: Checkpoint, log: Log) -> Start | None:
    """Finds the start in the run's log, else in its checkpoint, else in its config."""
    found = []
    if log.config:
        found.append(start_of(read_text(log.config, 'the config of a run')))
    if checkpoint.config:
        found.append(start_of(checkpoint.config))
    # A test leaves a config that loads the tested weights.
    own = _make_start(config.get('load_from'), config.get('resume'))
    if not (own and same_file(own.path, checkpoint.path)):
        found.append(own)
    # Resuming without a file overwrites the weights that the run first loaded.
    complete = [start for start in found if start is None or start.path]
    return next(iter([*complete, *found]), None)
