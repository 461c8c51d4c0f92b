"""Finds the scores of a run that are to be compared."""

from collections.abc import Iterable
from dataclasses import dataclass

from .budgets import Budget
from .runs import Run
from .table import LAYOUTS, Layout

#: Which validation stands for a run that is cut at a number of epochs.
PICKS = ('exact', 'last', 'best')


@dataclass(frozen=True)
class Scored:
    """The scores of a run.

    Attributes:
        metrics (dict[str, float]): By name.
        epochs (int, optional): Those that the run spent on them.
        text (str): Where they come from.
    """

    metrics: dict[str, float]
    epochs: int | None
    text: str


def layout_of(run: Run) -> Layout:
    """Tells which table a run belongs into.

    Args:
        run (Run): The run.

    Returns:
        Layout: MPII's or COCO's.

    Raises:
        ValueError: If it has the scores of neither. One line.
    """
    metrics = run.log.metrics or next(iter(run.log.validations.values()), {})
    for layout in LAYOUTS:
        if layout.columns[layout.main] in metrics:
            return layout
    expected = ' or '.join(layout.columns[layout.main] for layout in LAYOUTS)
    raise ValueError(
        f'run "{run.name}": log "{run.log.path}" has no {expected}; '
        f'its scores are: {", ".join(metrics) or "none"}'
    )


def checkpoint_scores(run: Run) -> Scored:
    """Takes the scores of the run's checkpoint.

    Args:
        run (Run): The run.

    Returns:
        Scored: Those scores.

    Raises:
        ValueError: If its epoch is unknown, or was not validated. One line.
    """
    epoch = run.checkpoint.epoch
    if run.log.metrics is not None:
        return Scored(run.log.metrics, run.epochs, f'tested ("{run.log.path.name}")')
    where = f'run "{run.name}": checkpoint "{run.checkpoint.path}"'
    if epoch is None:
        raise ValueError(
            f'{where} does not say of which epoch it is: name it epoch_N.pth, or '
            'give the metrics of tools/test.py --out as its log'
        )
    if epoch not in run.log.validations:
        raise ValueError(
            f'{where} is of epoch {epoch}, and log "{run.log.path}" has '
            f'{_listed(run.log.validations)}; of a resumed run, give the work '
            'directory as the log'
        )
    text = f'epoch {epoch}'
    if run.checkpoint.is_best:
        text += f', the best of {run.epochs}'
    return Scored(run.log.validations[epoch], run.epochs, text)


def cut_scores(
    run: Run, before: Budget, total: int, pick: str, layout: Layout
) -> Scored:
    """Takes the scores that a run had after a number of epochs in all.

    Args:
        run (Run): The run.
        before (Budget): What the weights took that it started from.
        total (int): Epochs, with those of ``before``.
        pick (str): ``'exact'`` for the validation at that epoch, ``'last'`` for the
            last one up to it, ``'best'`` for the best one up to it.
        layout (Layout): The table.

    Returns:
        Scored: Those scores.

    Raises:
        ValueError: If there was no such validation, or it is not known what the run
            started from. One line.
    """
    where = f'run "{run.name}": --epochs {total}'
    if before.total is None:
        raise ValueError(
            f'{where} needs the epochs that its weights had when it started '
            f'({run.start.path or "unknown"}): give the run that they are of'
        )
    own = total - before.total
    known = run.log.validations
    if run.log.metrics is not None and run.epochs is not None:
        known = {run.epochs: run.log.metrics}
    main = layout.columns[layout.main]
    if pick == 'exact':
        allowed = [epoch for epoch in known if epoch == own]
    else:
        allowed = sorted(epoch for epoch in known if epoch <= own)
    if not allowed:
        raise ValueError(
            f'{where} is its own epoch {own}, and log "{run.log.path}" has '
            f'{_listed(known)}'
        )
    if pick != 'best':
        return Scored(known[allowed[-1]], allowed[-1], f'epoch {allowed[-1]}')
    epoch = max(allowed, key=lambda epoch: known[epoch].get(main, float('-inf')))
    # All that were looked at count.
    spent = min(own, max(run.log.last_epoch, *allowed, epoch))
    return Scored(known[epoch], spent, f'epoch {epoch}, the best of {spent}')


def _listed(epochs: Iterable[int]) -> str:
    epochs = sorted(epochs)
    if not epochs:
        return 'no validation'
    shown = ', '.join(map(str, epochs[:3]))
    if len(epochs) > 4:
        shown += ', …'
    if len(epochs) > 3:
        shown += f', {epochs[-1]}'
    return f'validations at epochs {shown} only'
