"""Chooses the scores of a run that are compared."""

from collections.abc import Iterable
from dataclasses import dataclass

from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.budgets import Budget
from fpd_mmpose.reports.finished_runs import Run
from fpd_mmpose.reports.table import LAYOUTS, TableLayout


@dataclass(frozen=True)
class Scored:
    """The scores of a run."""

    metrics: dict[str, float]  # by name
    epochs: int | None  # of the run itself, all those that the choice looked at
    text: str  # their origin, for the notes


def layout_of(run: Run) -> TableLayout:
    """Finds the table that a run's scores belong in."""
    metrics = run.log.metrics or next(iter(run.log.validations.values()), {})
    for layout in LAYOUTS:
        if layout.columns[layout.main] in metrics:
            return layout
    expected = ' or '.join(layout.columns[layout.main] for layout in LAYOUTS)
    raise UserError(
        f'run "{run.name}": log "{run.log.path}" has no {expected}; '
        f'its scores are: {", ".join(metrics) or "none"}'
    )


def checkpoint_scores(run: Run) -> Scored:
    """Returns the scores of the run's checkpoint."""
    epoch = run.checkpoint.epoch
    if run.log.metrics is not None:
        return Scored(run.log.metrics, run.epochs, f'tested ("{run.log.path.name}")')
    where = f'run "{run.name}": checkpoint "{run.checkpoint.path}"'
    if epoch is None:
        raise UserError(
            f'{where} does not record its epoch: rename it to epoch_N.pth, or give the '
            'metrics of tools/test.py --out as its log'
        )
    if epoch not in run.log.validations:
        raise UserError(
            f'{where} is from epoch {epoch}, but log "{run.log.path}" has '
            f'{_listed(run.log.validations)}; if the run was resumed, give its work '
            'directory as the log'
        )
    text = f'epoch {epoch}'
    if run.checkpoint.is_best:
        text += f', the best of {run.epochs}'
    return Scored(run.log.validations[epoch], run.epochs, text)


def cut_scores(run: Run, before: Budget, total: int) -> Scored:
    """Returns the scores of a run after as many epochs, with those ``before`` it."""
    where = f'run "{run.name}": `epochs` {total}'
    if before.total is None:
        raise UserError(
            f'{where} needs the epochs of the weights that it started from '
            f'({(run.start and run.start.path) or "unknown"}): add the run of these'
        )
    own = total - before.total
    known = run.log.validations
    if run.log.metrics is not None and run.epochs is not None:
        known = {run.epochs: run.log.metrics}
    if own not in known:
        raise UserError(
            f'{where} is its own epoch {own}, but log "{run.log.path}" has '
            f'{_listed(known)}'
        )
    return Scored(known[own], own, f'epoch {own}')


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
