"""The training that runs took, including that of the weights they started from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fpd_mmpose.reports.finished_runs import (
    Checkpoint,
    Run,
    Start,
    read_checkpoint,
    same_file,
    start_of,
)


@dataclass(frozen=True)
class Budget:
    """The training that a network took since it had random weights.

    Whatever is unknown is None. A short last batch counts as a full one.
    """

    epochs: tuple[int | None, ...] = ()  # of each run of the chain, the last run last
    steps: int | None = 0
    samples: int | None = 0
    origin: Path | None = None  # the file of unknown training that the chain began with

    @property
    def total(self) -> int | None:
        """The total number of epochs, if known."""
        return _sum(self.epochs)

    def __add__(self, other: 'Budget') -> 'Budget':
        """Appends the training that came next."""
        return Budget(
            self.epochs + other.epochs,
            _sum([self.steps, other.steps]),
            _sum([self.samples, other.samples]),
            self.origin or other.origin,
        )

    def more_than(self, other: 'Budget') -> int | None:
        """Returns by how many epochs this total exceeds another, if that is known.

        It is known for networks that began with the same file of unknown training.
        """
        mine, theirs = self.total, other.total
        if self.origin is not None and self.origin == other.origin:
            # The unknown epochs of the file come first.
            mine, theirs = _sum(self.epochs[1:]), _sum(other.epochs[1:])
        return None if mine is None or theirs is None else mine - theirs

    def with_total(self) -> str:
        """Formats the epochs and their total, for example as ``140+140 = 280``."""
        known = self.total is not None and len(self.epochs) > 1
        return f'{self} = {self.total}' if known else str(self)

    def __str__(self) -> str:
        """Formats the epochs, for example as ``140+140`` or ``140+?``."""
        own = [str(n) for n in self.epochs if n is not None]
        # The unknown epochs came first, but read better last.
        unknown = ['?'] * (len(self.epochs) - len(own))
        return '+'.join([*own, *unknown])


_UNKNOWN = Budget((None,), None, None)


def own_budget(run: Run, epochs: int | None) -> Budget:
    """Returns the training of some epochs of a run itself."""
    saved, processes = run.checkpoint, run.log.processes
    batch_size = run.config.get('train_dataloader', {}).get('batch_size')
    steps = samples = None
    if epochs is not None and saved.epoch and saved.steps is not None:
        steps = saved.steps * epochs // saved.epoch
        if batch_size is not None and processes is not None:
            samples = steps * batch_size * processes
    return Budget((epochs,), steps, samples)


def budget_before(
    run: Run, runs: Sequence[Run], lost: Callable[[str, Start], None]
) -> Budget:
    """Returns the training of the weights that a run started from.

    It comes from the run among ``runs`` that saved those weights, or else from the
    weight file. Where neither gives its epochs, ``lost`` is called with the start, and
    with the name of the run or the file that began with it.
    """

    def before(name: str, start: Start | None, chain: Sequence[Path]) -> Budget:
        if start is None:
            return Budget()
        file = _read(start)
        others = [other for other in runs if other.checkpoint.path not in chain]
        if parent := _find(start, file, others):
            chain = [*chain, parent.checkpoint.path]
            earlier = before(parent.name, parent.start, chain)
            epochs = parent.epochs
            if file and file.epoch != parent.checkpoint.epoch:
                epochs = file.epoch
            own = own_budget(parent, epochs)
        elif file and file.epoch is not None and file.path not in chain:
            chain = [*chain, file.path]
            earlier = before(f'"{file.path}"', start_of(file.config), chain)
            own = Budget((file.epoch,), file.steps, None)
        else:
            lost(name, start)
            # A resumed run's count includes unknown epochs of the file.
            if file and not start.resumed:
                return replace(_UNKNOWN, origin=file.path.resolve())
            return _UNKNOWN
        # A resumed run's count already includes the epochs of the file.
        return earlier if start.resumed else earlier + own

    return before(run.name, run.start, [run.checkpoint.path])


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _read(start: Start) -> Checkpoint | None:
    path = Path(start.path).expanduser()
    return read_checkpoint(path) if start.path and path.is_file() else None


def _find(start: Start, file: Checkpoint | None, runs: Sequence[Run]) -> Run | None:
    """Finds the run that saved the weights, if exactly one matches."""
    if not start.path:
        return None
    path = Path(start.path)
    experiment = file and file.experiment
    rules: tuple[Callable[[Checkpoint], bool], ...] = (
        lambda other: same_file(path, other.path),
        lambda other: experiment is not None and experiment == other.experiment,
        lambda other: file is None and path.parts[-2:] == other.path.parts[-2:],
        lambda other: file is None and path.name == other.path.name,
    )
    for rule in rules:
        found = [run for run in runs if rule(run.checkpoint)]
        # One file may be there twice, under two names of runs.
        if len(found) == 1 or (found and rule is rules[0]):
            return found[0]
    return None
