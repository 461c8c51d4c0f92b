"""Compares finished runs at equal training budgets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.budgets import Budget, budget_before, own_budget
from fpd_mmpose.reports.complexity import Complexity, count
from fpd_mmpose.reports.finished_runs import Run, Start, read_run
from fpd_mmpose.reports.scores import Scored, checkpoint_scores, cut_scores, layout_of
from fpd_mmpose.reports.table import Row, Table, TableLayout

_Cost = tuple[tuple[int, int], Complexity]  # input size (width, height) and work


@dataclass(frozen=True)
class _Result:
    """A run with its scores and the training that they took."""

    run: Run
    scored: Scored
    budget: Budget


def compare(
    runs: Sequence[Sequence[str]],
    baselines: Sequence[str] = (),
    teacher: str | None = None,
    epochs: int | None = None,
    seeds: bool = False,
) -> Table:
    """Builds the reference's result table from finished runs, a row for each name.

    ``runs`` are as :func:`fpd_mmpose.reports.finished_runs.read_run` takes them, and
    ``baselines`` and ``teacher`` are names of such runs. A gain is over the baseline of
    the closest total number of epochs; the teacher is shown but not compared. With
    ``epochs``, runs are compared after that total, and not by their checkpoints. With
    ``seeds``, runs of the same name are averaged.
    """
    if epochs is not None and epochs < 1:
        raise UserError(f'`epochs` must be at least 1, got {epochs}')
    read = [read_run(words) for words in runs]
    _check_names(read, baselines, teacher, seeds)
    layout = _common_layout(read)
    notes: dict[str, None] = {}  # an ordered set

    def lost(name: str, start: Start) -> None:
        if not start.path:
            history = 'was resumed, and its first log is missing'
        elif Path(start.path).expanduser().is_file():
            history = (
                f'started from "{start.path}", which does not record its epochs, and '
                'whose run is missing'
            )
        else:
            history = f'started from "{start.path}", which is missing, as is its run'
        notes[f'{name} {history}: its total epochs are unknown (?).'] = None

    groups: dict[str, list[_Result]] = {}
    for run in read:
        before = budget_before(run, read, lost)
        if epochs is None or run.name == teacher:
            scored = checkpoint_scores(run)
        else:
            scored = cut_scores(run, before, epochs)
        budget = before + own_budget(run, scored.epochs)
        groups.setdefault(run.name, []).append(_Result(run, scored, budget))
    headings = _headings(layout, [result for g in groups.values() for result in g])
    costs: dict[str, _Cost] = {}
    rows = [_row(group, headings, costs) for group in groups.values()]
    rows = _with_gains(rows, layout, baselines, teacher)
    return Table(
        layout,
        tuple(rows),
        seeds,
        (
            *_explanations(layout, groups),
            *notes,
            *_gain_notes(rows, layout, baselines),
            *_warning(rows, teacher),
        ),
    )


def _check_names(
    runs: Sequence[Run], baselines: Sequence[str], teacher: str | None, seeds: bool
) -> None:
    names = [run.name for run in runs]
    if not names:
        raise UserError('nothing to compare: give at least one run')
    twice = [name for name in names if names.count(name) > 1]
    if twice and not seeds:
        raise UserError(
            f'two runs are named "{twice[0]}": rename one, or average them with `seeds`'
        )
    roles = [('baselines', name) for name in baselines]
    if teacher is not None:
        roles.append(('teacher', teacher))
    for role, name in roles:
        if name not in names:
            known = ', '.join(dict.fromkeys(names))
            raise UserError(f'`{role}`: "{name}" is not one of the runs ({known})')
    if teacher in baselines:
        raise UserError(f'"{teacher}" cannot be both `teacher` and in `baselines`')


def _common_layout(runs: Sequence[Run]) -> TableLayout:
    layouts = [layout_of(run) for run in runs]
    for run, layout in zip(runs, layouts, strict=True):
        if layout is not layouts[0]:
            raise UserError(
                f'run "{runs[0].name}" has scores of {layouts[0].name} and run '
                f'"{run.name}" has scores of {layout.name}: compare them separately'
            )
    return layouts[0]


def _headings(layout: TableLayout, results: Sequence[_Result]) -> dict[str, str]:
    for result in results:
        for metric in layout.columns.values():
            if metric not in result.scored.metrics:
                raise UserError(
                    f'run "{result.run.name}": log "{result.run.log.path}" has no '
                    f'{metric}; its scores are: {", ".join(result.scored.metrics)}'
                )
    extra = {
        heading: metric
        for heading, metric in layout.extra.items()
        if all(metric in result.scored.metrics for result in results)
    }
    return layout.columns | extra


def _row(
    group: Sequence[_Result], headings: dict[str, str], costs: dict[str, _Cost]
) -> Row:
    first = group[0]
    network = _network(first.run)
    # Plain and distilled students share a network, whose cost takes seconds to count.
    if network not in costs:
        costs[network] = _cost(first.run)
    size, complexity = costs[network]
    for other in group[1:]:
        if other.budget.epochs != first.budget.epochs:
            raise UserError(
                f'runs named "{first.run.name}" were trained for {first.budget} and '
                f'{other.budget} epochs: `seeds` averages runs that differ in seeds'
            )
        if _network(other.run) != network:
            raise UserError(
                f'runs named "{first.run.name}" have different networks: `seeds` '
                'averages runs that differ in seeds'
            )
    scores = {
        heading: tuple(result.scored.metrics[metric] for result in group)
        for heading, metric in headings.items()
    }
    return Row(first.run.name, scores, size, complexity, first.budget)


def _network(run: Run) -> str:
    return str([run.config.model.get(part) for part in ('backbone', 'neck', 'head')])


def _cost(run: Run) -> _Cost:
    init_default_scope(run.config.get('default_scope', 'mmpose'))
    model = MODELS.build(run.config.model)
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    if decoder is None:
        raise UserError(
            f'run "{run.name}": the head of the model has no decoder, and so no input '
            'size to measure the network at'
        )
    width, height = decoder.input_size
    return (width, height), count(model, (width, height))


def _with_gains(
    rows: Sequence[Row],
    layout: TableLayout,
    baselines: Sequence[str],
    teacher: str | None,
) -> list[Row]:
    plain = [row for row in rows if row.name in baselines]
    if not plain:
        return list(rows)
    result = []
    for row in rows:
        if row.name not in (*baselines, teacher):
            over = min(plain, key=lambda baseline: _difference(row, baseline))
            row = replace(
                row,
                over=over.name,
                gain=row.mean(layout.main) - over.mean(layout.main),
                equal=_difference(row, over) == 0,
            )
        result.append(row)
    return result


def _difference(row: Row, baseline: Row) -> float:
    more = row.budget.more_than(baseline.budget)
    return float('inf') if more is None else abs(more)


def _explanations(layout: TableLayout, groups: dict[str, list[_Result]]) -> list[str]:
    texts = [
        f'{name}: {"; ".join(dict.fromkeys(r.scored.text for r in group))}'
        for name, group in groups.items()
    ]
    notes = [f'Origin of the scores: {". ".join(texts)}.']
    if layout.note:
        notes.append(layout.note)
    notes.append(
        'GFLOPs are multiply-accumulates / 1024³, as in the reference. Epochs, steps, '
        'and samples include the training of the weights that a run started from and, '
        'for a best checkpoint, all epochs that it was chosen from.'
    )
    return notes


def _gain_notes(
    rows: Sequence[Row], layout: TableLayout, baselines: Sequence[str]
) -> list[str]:
    gained = [row for row in rows if row.gain is not None]
    if not gained:
        return []
    if len(baselines) == 1:
        return [f'Gain: {layout.main} over {baselines[0]}.']
    texts = [f'{row.name} over {row.over}' for row in gained]
    return [f'Gain: {layout.main} of {", ".join(texts)}.']


def _warning(rows: Sequence[Row], teacher: str | None) -> list[str]:
    compared = [row for row in rows if row.name != teacher]
    more = {row.budget.more_than(compared[0].budget) for row in compared[1:]}
    if more <= {0}:
        return []
    texts = ', '.join(f'{row.name}: {row.budget.with_total()}' for row in compared)
    what = 'are not all known' if None in more else 'differ'
    warning = f'WARNING: total epochs {what} ({texts}).'
    if any(not row.equal for row in compared):
        return [
            f'{warning} A * marks a gain at unequal budgets: add a baseline with the '
            'same total, or compare all runs after the same number of epochs.'
        ]
    if any(row.gain is not None for row in compared):
        return [f'{warning} Each gain is over a plain run of the same total epochs.']
    return [warning]
