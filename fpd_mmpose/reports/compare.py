"""Compares finished runs at equal budgets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from .budgets import Budget, budget_before, own_budget
from .complexity import Complexity, count
from .runs import Run, Start, read_run
from .scores import PICKS, Scored, checkpoint_scores, cut_scores, layout_of
from .table import Layout, Row, Table


@dataclass(frozen=True)
class _Result:
    """A run with its scores and what they took."""

    run: Run
    scored: Scored
    budget: Budget


def compare(
    runs: Sequence[Sequence[str]],
    baselines: Sequence[str] = (),
    teacher: str | None = None,
    epochs: int | None = None,
    pick: str = 'exact',
    seeds: bool = False,
) -> Table:
    """Builds the reference's table from finished runs.

    Args:
        runs (Sequence[Sequence[str]]): For each run ``NAME CONFIG CHECKPOINT LOG`` or
            ``NAME=WORK_DIR``, see :func:`fpd_mmpose.reports.runs.read_run`.
        baselines (Sequence[str]): The plain students. A gain is taken over the one
            that was trained for as many epochs in all.
        teacher (str, optional): A run that is shown and not compared: ``epochs``
            leaves it as it is.
        epochs (int, optional): Compares the runs after so many epochs in all.
            ``None`` takes the scores of the checkpoints.
        pick (str): Which validation then stands for a run, see
            :func:`fpd_mmpose.reports.scores.cut_scores`.
        seeds (bool): Whether runs of the same name are averaged.

    Returns:
        Table: A row for each name, in the order given.

    Raises:
        ValueError: If a run cannot be read, lacks a score, or they cannot be compared.
            One line.
    """
    if pick not in PICKS or (pick != 'exact' and epochs is None):
        raise ValueError(f'--at takes {", ".join(PICKS)}, and needs --epochs')
    if epochs is not None and epochs < 1:
        raise ValueError(f'--epochs must be at least 1, got {epochs}')
    read = [read_run(words) for words in runs]
    _check_names(read, baselines, teacher, seeds)
    layout = _common_layout(read)
    notes: dict[str, None] = {}  # in order, each once

    def lost(run: Run, start: Start) -> None:
        missing = 'of which neither run nor file is here'
        if Path(start.path).expanduser().is_file():
            missing = 'which does not say its epochs, and whose run is not here'
        what = f'started from "{start.path}", {missing}'
        if not start.path:
            what = 'was resumed, and the log of its beginning is not here'
        notes[f'{run.name} {what}: its epochs in all are not known (?).'] = None

    groups: dict[str, list[_Result]] = {}
    for run in read:
        before = budget_before(run, read, lost)
        if epochs is None or run.name == teacher:
            scored = checkpoint_scores(run)
        else:
            scored = cut_scores(run, before, epochs, pick, layout)
        budget = before + own_budget(run, scored.epochs)
        groups.setdefault(run.name, []).append(_Result(run, scored, budget))
    headings = _headings(layout, [result for g in groups.values() for result in g])
    costs: dict[str, tuple] = {}
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
        raise ValueError('nothing to compare: give at least one --run')
    twice = [name for name in names if names.count(name) > 1]
    if twice and not seeds:
        raise ValueError(f'two runs are named "{twice[0]}": average them with --seeds')
    known = ', '.join(dict.fromkeys(names))
    options = [('--baseline', name) for name in baselines] + [('--teacher', teacher)]
    for option, name in options:
        if name is not None and name not in names:
            raise ValueError(f'{option} "{name}" is no run: there are {known}')
    if teacher in baselines:
        raise ValueError(f'"{teacher}" cannot be both --teacher and --baseline')


def _common_layout(runs: Sequence[Run]) -> Layout:
    layouts = [layout_of(run) for run in runs]
    for run, layout in zip(runs, layouts, strict=True):
        if layout is not layouts[0]:
            raise ValueError(
                f'run "{runs[0].name}" has the scores of {layouts[0].name} and run '
                f'"{run.name}" those of {layout.name}: compare them in two tables'
            )
    return layouts[0]


def _headings(layout: Layout, results: Sequence[_Result]) -> dict[str, str]:
    for result in results:
        for metric in layout.columns.values():
            if metric not in result.scored.metrics:
                raise ValueError(
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
    group: Sequence[_Result], headings: dict[str, str], costs: dict[str, tuple]
) -> Row:
    first = group[0]
    network = _network(first.run)
    # Student and FPD are one network, whose cost takes seconds to count.
    if network not in costs:
        costs[network] = _cost(first.run)
    size, complexity = costs[network]
    for other in group[1:]:
        if other.budget.epochs != first.budget.epochs:
            raise ValueError(
                f'runs named "{first.run.name}" were trained for {first.budget} and '
                f'{other.budget} epochs: --seeds averages runs that differ in seeds'
            )
        if _network(other.run) != network:
            raise ValueError(
                f'runs named "{first.run.name}" have different networks: --seeds '
                'averages runs that differ in seeds'
            )
    scores = {
        heading: tuple(result.scored.metrics[metric] for result in group)
        for heading, metric in headings.items()
    }
    return Row(first.run.name, scores, size, complexity, first.budget)


def _network(run: Run) -> str:
    return str([run.config.model.get(part) for part in ('backbone', 'neck', 'head')])


def _cost(run: Run) -> tuple[tuple[int, int], Complexity]:
    init_default_scope(run.config.get('default_scope', 'mmpose'))
    model = MODELS.build(run.config.model)
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    if decoder is None:
        raise ValueError(
            f'run "{run.name}": the head has no decoder, whose input size the network '
            'is measured at'
        )
    width, height = decoder.input_size
    return (width, height), count(model, (width, height))


def _with_gains(
    rows: Sequence[Row],
    layout: Layout,
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


def _explanations(layout: Layout, groups: dict[str, list[_Result]]) -> list[str]:
    texts = [
        f'{name}: {"; ".join(dict.fromkeys(r.scored.text for r in group))}'
        for name, group in groups.items()
    ]
    notes = [f'Scores taken at: {". ".join(texts)}.']
    if layout.note:
        notes.append(layout.note)
    notes.append(
        'GFLOPs: multiply-accumulates / 1024³, as in the reference. Epochs, steps and '
        'samples are those of training, with those of the weights that a run started '
        'from; for a best checkpoint, of all epochs that it was chosen from.'
    )
    return notes


def _gain_notes(
    rows: Sequence[Row], layout: Layout, baselines: Sequence[str]
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
    texts = [f'{row.name}: {_in_all(row.budget)}' for row in compared]
    what = 'are not all known' if None in more else 'differ'
    warning = f'WARNING: epochs in all {what} ({", ".join(texts)}).'
    if any(not row.equal for row in compared):
        return [
            f'{warning} * marks gains between unequal budgets: name a plain run of as '
            'many epochs as another --baseline, or cut all runs with --epochs.'
        ]
    if any(row.gain is not None for row in compared):
        return [f'{warning} Each gain is over a plain run of as many epochs.']
    return [warning]


def _in_all(budget: Budget) -> str:
    if budget.total is None or len(budget.epochs) == 1:
        return str(budget)
    return f'{budget} = {budget.total}'
