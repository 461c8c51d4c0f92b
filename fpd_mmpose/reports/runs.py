"""Reads finished runs: config, checkpoint and log."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config

from fpd_mmpose.paths import load_config

from .logs import Log, read_log


@dataclass(frozen=True)
class Start:
    """The weights that a run began with.

    Attributes:
        path (str): The file; empty if the run was resumed and its beginning is lost.
        resumed (bool): Whether its epochs are counted on, and not anew.
    """

    path: str
    resumed: bool


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says of its training.

    Attributes:
        path (Path): The file.
        epoch (int, optional): Epochs that it was trained.
        steps (int, optional): Steps that it was trained.
        experiment (str, optional): MMEngine's name of the run, with a time stamp.
        config (str): The run's config.
    """

    path: Path
    epoch: int | None = None
    steps: int | None = None
    experiment: str | None = None
    config: str = ''

    @property
    def is_best(self) -> bool:
        """Whether it was chosen by its score among those of the run."""
        return self.path.name.startswith('best_')


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name (str): Its name in the table.
        config (Config): Its config.
        checkpoint (Checkpoint): The weights that are compared.
        log (Log): Its scores.
        start (Start, optional): The weights that it began with.
    """

    name: str
    config: Config
    checkpoint: Checkpoint
    log: Log
    start: Start | None

    @property
    def epochs(self) -> int | None:
        """Its own epochs: for a best checkpoint, those that it was chosen from."""
        epoch = self.checkpoint.epoch
        if self.checkpoint.is_best and epoch is not None:
            return max(epoch, self.log.last_epoch)
        return epoch


def read_run(words: Sequence[str]) -> Run:
    """Reads a run as the command line names it.

    Args:
        words (Sequence[str]): ``NAME CONFIG CHECKPOINT LOG`` or ``NAME=WORK_DIR``. Of
            a work directory the best checkpoint is taken, as the reference does, and
            the last one if no best is kept.

    Returns:
        Run: The run.

    Raises:
        ValueError: If a file is missing or is not what it should be. One line.
    """
    if len(words) == 4:
        name, *files = words
    elif len(words) == 1 and '=' in words[0]:
        name, _, folder = words[0].partition('=')
        files = _of_work_dir(Path(folder))
    else:
        raise ValueError(
            '--run takes NAME CONFIG CHECKPOINT LOG, or NAME=WORK_DIR; got '
            f'"{" ".join(words)}"'
        )
    config, checkpoint, log = files
    try:
        config = load_config(config)
        checkpoint = read_checkpoint(checkpoint)
        log = read_log(log)
    except ValueError as error:
        raise ValueError(f'run "{name}": {error}') from error
    return Run(name, config, checkpoint, log, _start(config, checkpoint, log))


def _of_work_dir(folder: Path) -> tuple[str | Path, ...]:
    if not folder.is_dir():
        raise ValueError(f'"{folder}" is not a folder: expected a work directory')
    configs = list(folder.glob('*.py'))
    if len(configs) != 1:
        raise ValueError(
            f'"{folder}" has {len(configs)} configs (*.py), expected 1: use '
            '--run NAME CONFIG CHECKPOINT LOG'
        )
    best = sorted(folder.glob('best_*.pth'))
    if len(best) > 1:
        # By several metrics, or left over from before a restart.
        raise ValueError(
            f'"{folder}" has {len(best)} best checkpoints '
            f'({", ".join(path.name for path in best)}): choose one with '
            '--run NAME CONFIG CHECKPOINT LOG'
        )
    if best:
        return configs[0], best[0], folder
    pointer = folder / 'last_checkpoint'
    if not pointer.is_file():
        raise ValueError(f'"{folder}" has neither best_*.pth nor last_checkpoint')
    # The folder may have been moved since.
    return configs[0], folder / Path(pointer.read_text().strip()).name, folder


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Reads what a checkpoint says of its training; the file is not trusted.

    Args:
        path (str | Path): A checkpoint of MMEngine, or bare weights.

    Returns:
        Checkpoint: Without the weights.

    Raises:
        ValueError: If it cannot be read. One line.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f'checkpoint "{path}" does not exist')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # of many types
        raise ValueError(
            f'checkpoint "{path}" cannot be read as a weight file '
            f'({type(error).__name__}): it may be truncated, or ask for types that '
            'are refused'
        ) from error
    meta = content.get('meta') if isinstance(content, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    named = re.search(r'epoch_(\d+)\.pth$', path.name)
    return Checkpoint(
        path,
        epoch=meta.get('epoch') or (int(named[1]) if named else None),
        steps=meta.get('iter'),
        experiment=meta.get('experiment_name'),
        config=meta.get('cfg') or '',
    )


def start_of(config: str) -> Start | None:
    """Finds the weights that a run began with, in its dumped config.

    Args:
        config (str): The text. It is not executed.

    Returns:
        Start | None: ``None`` for random weights, and for a text that is no config.
    """
    try:
        tree = ast.parse(config)
    except SyntaxError:
        return None
    values = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    return _make_start(values.get('load_from'), values.get('resume'))


def _make_start(load_from: str | None, resume: bool | None) -> Start | None:
    if not load_from and not resume:
        return None
    return Start(load_from or '', bool(resume))


def _start(config: Config, checkpoint: Checkpoint, log: Log) -> Start | None:
    """What the run began with, by its log, else its checkpoint, else its config."""
    found = []
    if log.config:
        found.append(start_of(log.config.read_text()))
    if checkpoint.config:
        found.append(start_of(checkpoint.config))
    # A test leaves a config that loads the tested weights.
    own = _make_start(config.get('load_from'), config.get('resume'))
    if not (own and _same(own.path, checkpoint.path)):
        found.append(own)
    # `--resume` alone overwrites what the run was first loaded from.
    telling = [start for start in found if start is None or start.path]
    return next(iter([*telling, *found]), None)


def _same(path: str | Path, other: str | Path) -> bool:
    return Path(path).expanduser().resolve() == Path(other).expanduser().resolve()
