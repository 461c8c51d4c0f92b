"""What came of trainings, as a page, in Markdown, or as a printed table."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.reports.literal_config import MISSING, differences
from fpd_mmpose.reports.table import LAYOUTS
from fpd_mmpose.run_reports.logged_run import LoggedRun
from fpd_mmpose.run_reports.result_rows import ResultRow, group_runs
from fpd_mmpose.studies.paired_statistics import Difference

#: What a report can be written as.
SUFFIXES = ('.html', '.md')
_MOST_DIFFERENCES = 60
_LONGEST_VALUE = 90
#: Fields that say how long a network is trained.
_BUDGET = ('load_from', 'train_cfg.max_epochs', 'train_cfg.max_iters')
_NO_VALUE = '–'

#: Headings and rows.
TextTable = tuple[list[str], list[list[str]]]


class RunReport:
    """The results of runs, and what differs between these.

    Args:
        rows: Runs, or groups of runs that differ in their seeds alone.
        baseline: The row that the others are compared with.
    """

    def __init__(self, rows: Sequence[ResultRow], baseline: ResultRow) -> None:
        self.rows = rows
        self.baseline = baseline

    @cached_property
    def gains(self) -> list[Difference | str]:
        """What each row has over the baseline, or why that is not known."""
        return [
            '' if row is self.baseline else row.over(self.baseline) for row in self.rows
        ]

    @cached_property
    def results(self) -> TextTable:
        """The reference's columns for the best validation of each run."""
        columns: dict[str, str] = {}
        for row in self.rows:
            metric = row.first.metric
            known = [one for one in LAYOUTS if one.columns[one.main] == metric]
            columns |= known[0].columns if known else {metric: metric} if metric else {}
        several = any(len(row.runs) > 1 for row in self.rows)
        gained = any(self.gains)
        over = [f'Over {self.baseline.name}'] if gained else []
        heads = ['', *(['Runs'] if several else []), *columns, *over]
        heads += ['Params', 'Best at', 'State']
        lines = []
        for row, gain in zip(self.rows, self.gains, strict=True):
            params = row.first.parameters()
            scores = [row.mean(metric) for metric in columns.values()]
            lines.append(
                [
                    row.name,
                    *([str(len(row.runs))] if several else []),
                    *(_NO_VALUE if s is None else f'{s:.3f}' for s in scores),
                    *([gain_text(gain)] if gained else []),
                    f'{params / 1e6:.2f} M' if params else _NO_VALUE,
                    ', '.join(dict.fromkeys(_best_at(run) for run in row.runs)),
                    _state(row),
                ]
            )
        return heads, lines

    @cached_property
    def notes(self) -> list[str]:
        """What the table does not say itself."""
        metrics = [row.first.metric for row in self.rows if row.first.metric]
        notes = []
        if metrics:
            notes.append(
                'Each score is that of the validation with the best '
                f'{" or ".join(dict.fromkeys(metrics))}, of all so far.'
            )
        if any(str(metric).startswith('PCKh/') for metric in metrics):
            notes.append(
                'PCKh: percent of joints found within half a head length of their '
                "labels. Mean@0.1 is the reference's name for the mean at 0.11."
            )
        if any(str(metric).startswith('coco/') for metric in metrics):
            notes.append('AP and AR: by object keypoint similarity (OKS), from 0 to 1.')
        if any(isinstance(gain, Difference) for gain in self.gains):
            note = f'Over {self.baseline.name}: the difference of the best scores.'
            if any(isinstance(g, Difference) and g.pairs > 1 for g in self.gains):
                note += (
                    ' Of several runs, the mean over pairs of the same seed, with the '
                    '95% bootstrap interval over seeds, which is too narrow for few.'
                )
            notes.append(note)
        longer = [f for f, _ in self._differing if f in _BUDGET]
        if longer and any(isinstance(gain, Difference) for gain in self.gains):
            notes.append(
                f'WARNING: the runs differ in {", ".join(longer)}: a gain may come '
                'from more training. `fpd compare` compares at equal numbers of epochs.'
            )
        if 'other data' in self.gains:
            notes.append(
                'WARNING: runs with "other data" were validated on other people than '
                f'{self.baseline.name}, or by another score: do not compare them.'
            )
        if any(not run.is_finished for row in self.rows for run in row.runs):
            notes.append(
                'A run that is "running or stopped" has not reached the length in its '
                'config: its best score may still change.'
            )
        return notes

    @cached_property
    def _differing(self) -> list[tuple[str, list[Any]]]:
        return differences([row.first.settings for row in self.rows])

    @cached_property
    def settings(self) -> TextTable:
        """The fields of the configs that differ."""
        found = self._differing
        lines = [
            [name or 'all', *(_value_text(value) for value in values)]
            for name, values in found[:_MOST_DIFFERENCES]
        ]
        if left := len(found) - len(lines):
            lines.append([f'and {left} more', *([''] * len(self.rows))])
        return ['field', *(row.name for row in self.rows)], lines

    @cached_property
    def machines(self) -> TextTable:
        """Hardware, versions, and times of the runs."""
        lines = [[row.name, *_machine(row)] for row in self.rows]
        heads = ['', 'Device', 'Processes', 'Versions', 'Wall time', 'People / s']
        return heads, lines

    def markdown(self) -> str:
        """Formats the tables."""
        parts = [
            markdown_table(*self.results, pad=True),
            '\n'.join(f'- {note}' for note in self.notes),
            '## What differs between the configs',
            _table_or(self.settings, 'Nothing.', range(len(self.rows) + 1)),
            '## Machines and times',
            _table_or(self.machines, '', range(4)),
        ]
        return '\n\n'.join(filter(None, parts))

    def save(self, path: str | Path) -> None:
        """Writes the page or the tables, by the file's suffix."""
        with replace_when_done(path) as partial:
            if Path(path).suffix.lower() == '.md':
                content = f'# Training report\n\n{self.markdown()}\n'
            else:
                from fpd_mmpose.run_reports.run_page import page_of

                content = page_of(self)
            partial.write_text(content, 'utf-8', 'backslashreplace')


def report_runs(
    folders: Sequence[str | Path], baseline: str | None = None
) -> RunReport:
    """Reads runs, finished or not, without executing their configs.

    Args:
        folders: Work directories, or ``NAME=WORK_DIR``.
        baseline: Name, or work directory, of the run that the others are compared
            with. Defaults to the first.

    Returns:
        The report, which can be printed and saved.

    Raises:
        UserError: If a folder has no run, a log is damaged, or there is no such
            baseline.

    Example:
        >>> from fpd_mmpose.run_reports import report_runs
        >>> try:
        ...     report_runs(['missing'])
        ... except ValueError as error:
        ...     print(error)
        "missing" is not a folder: give work directories of runs
    """
    named = [_named(str(folder)) for folder in folders]
    rows = group_runs([(name, LoggedRun(folder)) for name, folder in named])
    if not rows:
        raise UserError('nothing to report: give at least one work directory')
    if baseline is None:
        return RunReport(rows, rows[0])
    for row in rows:
        if baseline == row.name or any(
            Path(baseline).resolve() == run.folder.resolve() for run in row.runs
        ):
            return RunReport(rows, row)
    names = ', '.join(row.name for row in rows)
    raise UserError(f'`baseline`: "{baseline}" is not one of the runs ({names})')


def _named(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition('=')
    return (name, folder) if equals and not Path(text).is_dir() else ('', text)


def _state(row: ResultRow) -> str:
    if not any(run.training or run.validations for run in row.runs):
        return 'nothing logged'
    missing = sum(not run.is_finished for run in row.runs)
    if not missing:
        return 'finished'
    of = f'{missing} of {len(row.runs)} ' if len(row.runs) > 1 else ''
    return f'{of}running or stopped'


def _best_at(run: LoggedRun) -> str:
    if run.best is None:
        return _NO_VALUE
    if run.by_epoch and run.best.epoch:
        return f'epoch {run.best.epoch}'
    return f'step {run.best.step:,}'


def gain_text(gain: Difference | str) -> str:
    """Formats a gain, as in ``+2.310 [+1.200, +3.400]``."""
    if isinstance(gain, str):
        return gain
    text = f'{gain.mean:+.3f}'
    return text if gain.low is None else f'{text} [{gain.low:+.3f}, {gain.high:+.3f}]'


def _value_text(value: Any) -> str:
    text = _NO_VALUE if value is MISSING else str(value)
    return text if len(text) <= _LONGEST_VALUE else f'{text[:_LONGEST_VALUE]} …'


def _machine(row: ResultRow) -> list[str]:
    run, known = row.first, row.first.environment
    graphics = [
        v
        for name, v in known.items()
        if name.startswith('GPU ') and name[4:5].isdigit()
    ]
    device = ', '.join(graphics) or ('CPU' if known else _NO_VALUE)
    names = ('Python', 'PyTorch', 'MMEngine', 'OpenCV')
    versions = [f'{n} {known[n].split()[0]}' for n in names if known.get(n, '').strip()]
    time = _NO_VALUE
    if run.seconds:
        seconds, is_whole = run.seconds
        time = f'{"" if is_whole else "about "}{timedelta(seconds=round(seconds))}'
    speed = run.people_per_second
    return [
        device,
        known.get('GPU number', _NO_VALUE),
        ', '.join(versions) or _NO_VALUE,
        time,
        f'{speed:.1f}' if speed else _NO_VALUE,
    ]


def _table_or(table: TextTable, otherwise: str, text: Sequence[int]) -> str:
    return markdown_table(*table, text=text, pad=True) if table[1] else otherwise
