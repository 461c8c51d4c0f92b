"""How long runs were trained, with what they started from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .runs import Checkpoint, Run, Start, read_checkpoint, start_of


@dataclass(frozen=True)
class Budget:
    """What training a network took, from random weights on.

    Attributes:
        epochs (tuple[int | None, ...]): Of each run of the chain, the last one's at
            the end; ``None`` where it is unknown.
        steps (int, optional): Of all runs, where known.
        samples (int, optional): That they were shown, a short last batch of an epoch
            counted as a whole one.
        origin (Path, optional): The weights that the chain started from, where these
            are here and do not say their epochs.
    """

    epochs: tuple[int | None, ...] = ()
    steps: int | None = 0
    samples: int | None = 0
    origin: Path | None = None

    @property
    def total(self) -> int | None:
        """Epochs in all, where known."""
        return None if None in self.epochs else sum(self.epochs)

    def __add__(self, other: 'Budget') -> 'Budget':
        """What one took after the other."""
        return Budget(
            self.epochs + other.epochs,
            _sum(self.steps, other.steps),
            _sum(self.samples, other.samples),
            self.origin or other.origin,
        )

    def more_than(self, other: 'Budget') -> int | None:
        """How many more epochs it has in all.

        Args:
            other (Budget): What training another network took.

        Returns:
            int | None: Negative where it has fewer; ``None`` where it is not known.
            Those of weights that both started from need not be known.
        """
        if None not in (self.total, other.total):
            return self.total - other.total
        if self.origin is None or self.origin != other.origin:
            return None
        # Those of the origin come first.
        mine, theirs = self.epochs[1:], other.epochs[1:]
        return None if None in mine + theirs else sum(mine) - sum(theirs)

    def __str__(self) -> str:
        """The epochs, for example ``140+140``, or ``140+?``."""
        own = [str(n) for n in self.epochs if n is not None]
        # What is unknown came before what is known.
        unknown = ['?'] * (len(self.epochs) - len(own))
        return '+'.join([*own, *unknown])


UNKNOWN = Budget((None,), None, None)


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def own_budget(run: Run, epochs: int | None) -> Budget:
    """What a run took by itself.

    Args:
        run (Run): The run.
        epochs (int, optional): How many of its epochs.

    Returns:
        Budget: Steps are the checkpoint's, in proportion to the epochs.
    """
    saved, steps, samples = run.checkpoint, None, None
    if epochs is not None and saved.epoch and saved.steps is not None:
        steps = saved.steps * epochs // saved.epoch
    batch = run.config.get('train_dataloader', {}).get('batch_size')
    if None not in (steps, batch, run.log.processes):
        samples = steps * batch * run.log.processes
    return Budget((epochs,), steps, samples)


def budget_before(
    run: Run, runs: Sequence[Run], lost: Callable[[Run, Start], None]
) -> Budget:
    """What the weights took that a run started from.

    They are looked for among the other runs, by path, by MMEngine's name of the run
    in the file, and by file name where the file is not there; else the file itself
    says its epochs and what it was loaded from.

    Args:
        run (Run): The run.
        runs (Sequence[Run]): All runs.
        lost (Callable): Called with the run and the start whose epochs were not found.

    Returns:
        Budget: Empty for random weights.
    """

    def before(start: Start | None, chain: Sequence[Path]) -> Budget:
        if start is None:
            return Budget()
        file = _file(start)
        others = [other for other in runs if other.checkpoint.path not in chain]
        if parent := _find(start, file, others):
            earlier = before(parent.start, [*chain, parent.checkpoint.path])
            epochs = parent.epochs
            if file and file.epoch != parent.checkpoint.epoch:
                epochs = file.epoch
            own = own_budget(parent, epochs)
        elif file and file.epoch is not None and file.path not in chain:
            earlier = before(start_of(file.config), [*chain, file.path])
            own = Budget((file.epoch,), file.steps, None)
        else:
            lost(run, start)
            # A resumed run counts epochs that are not its own.
            here = file and not start.resumed
            return replace(UNKNOWN, origin=file.path.resolve()) if here else UNKNOWN
        # A resumed run counts the epochs of the file as its own.
        return earlier if start.resumed else earlier + own

    return before(run.start, [run.checkpoint.path])


def _file(start: Start) -> Checkpoint | None:
    path = Path(start.path).expanduser()
    return read_checkpoint(path) if start.path and path.is_file() else None


def _find(start: Start, file: Checkpoint | None, runs: Sequence[Run]) -> Run | None:
    """The run that the weights are of, where exactly one fits."""
    if not start.path:
        return None
    path = Path(start.path)

    def same_path(other: Checkpoint) -> bool:
        return path.expanduser().resolve() == other.path.resolve()

    def same_experiment(other: Checkpoint) -> bool:
        return None not in (file, other.experiment) and (
            file.experiment == other.experiment
        )

    def same_tail(other: Checkpoint) -> bool:
        return file is None and path.parts[-2:] == other.path.parts[-2:]

    def same_name(other: Checkpoint) -> bool:
        return file is None and path.name == other.path.name

    for fits in (same_path, same_experiment, same_tail, same_name):
        found = [run for run in runs if fits(run.checkpoint)]
        if len(found) == 1:
            return found[0]
        if found and fits is same_path:
            return found[0]  # the same file twice, under two names
    return None
