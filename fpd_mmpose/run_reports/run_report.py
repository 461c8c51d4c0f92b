"""What came of trainings: tables, which can be printed or saved, also as a page."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.reports.literal_config import differences
from fpd_mmpose.reports.table import LAYOUTS
from fpd_mmpose.run_reports.logged_run import LoggedRun
from fpd_mmpose.run_reports.result_rows import OTHER_DATA, ResultRow, group_runs
from fpd_mmpose.studies.paired_statistics import Difference

#: What a report can be written as.
SUFFIXES = ('.html', '.md')
#: A line of a table: cells by heading.
Cells = dict[str, str]
#: Fields that say how long a network is trained.
_BUDGET = ('load_from', 'train_cfg.max_epochs', 'train_cfg.max_iters')


@dataclass
class RunReport:
    """The results of rows of runs, compared with a baseline."""

    rows: Sequence[ResultRow]
    baseline: ResultRow
    hourly_cost: float | None = None

    @cached_property
    def gains(self) -> list[Difference | str]:
        """What each row has over the baseline, or why that is not known."""
        return [row.over(self.baseline) for row in self.rows]

    @cached_property
    def results(self) -> list[Cells]:
        """The reference's columns for the best validation of each run."""
        columns: dict[str, str] = {}
        for metric in (row.first.metric for row in self.rows if row.first.metric):
            known = [one for one in LAYOUTS if one.columns[one.main] == metric]
            columns |= known[0].columns if known else {metric: metric}
        lines = []
        for row, gain in zip(self.rows, self.gains, strict=True):
            params = row.first.parameters()
            cells = {'Run': row.name}
            if any(len(each.runs) > 1 for each in self.rows):
                cells['Seeds'] = str(len(row.runs))
            for heading, metric in columns.items():
                mean = row.mean(metric)
                cells[heading] = '' if mean is None else f'{mean:.3f}'
            if any(self.gains):
                cells[f'Over {self.baseline.name}'] = gain_text(gain)
            cells['Params'] = f'{params / 1e6:.3g} M' if params else ''
            if any(each.first.gflops for each in self.rows):
                cells['GFLOPs'] = row.first.gflops
            cells['Best at'] = ', '.join(dict.fromkeys(map(_best_at, row.runs)))
            lines.append(cells | {'State': _state(row)})
        return lines

    @property
    def notes(self) -> Iterator[str]:
        """What the table does not say itself."""
        found = [row.first.metric for row in self.rows if row.first.metric]
        metrics = ' or '.join(dict.fromkeys(found))
        if metrics:
            yield f'Each score is of the validation with the best {metrics} so far.'
        if 'PCKh' in metrics:
            yield (
                'PCKh: percent of joints found within half a head length of their '
                f'labels. {LAYOUTS[0].note}'
            )
        pairs = [gain.pairs for gain in self.gains if isinstance(gain, Difference)]
        if max(pairs, default=0) > 1:
            yield (
                f'Over {self.baseline.name}: mean over pairs of the same seed, with '
                'the 95% bootstrap interval over seeds, which is too narrow for few.'
            )
        longer = [c['Field'] for c in self.settings if c['Field'] in _BUDGET]
        if pairs and longer:
            yield (
                f'WARNING: the runs differ in {", ".join(longer)}, so a gain may come '
                'from more training. `fpd compare` compares at equal numbers of epochs.'
            )
        if OTHER_DATA in self.gains:
            yield (
                f'WARNING: runs with "{OTHER_DATA}" were validated on other people '
                f'than {self.baseline.name}, or by another score: do not compare them.'
            )
        if any('running' in cells['State'] for cells in self.results):
            yield 'Of a run that has not finished, the best score may still change.'

    @cached_property
    def settings(self) -> list[Cells]:
        """The fields of the configs that differ."""
        found = differences([row.first.settings for row in self.rows])
        names = ['Field', *(row.name for row in self.rows)]
        return [
            dict(zip(names, [name, *(str(v)[:90] for v in values)], strict=True))
            for name, values in found.items()
        ]

    @property
    def machines(self) -> list[Cells]:
        """Hardware, versions, and times of the runs."""
        return [_machine(row, self.hourly_cost) for row in self.rows]

    def markdown(self) -> str:
        """Formats the tables."""
        notes = '\n'.join(f'- {note}' for note in self.notes)
        settings = _table(self.settings, range(1 + len(self.rows))) or 'Nothing.'
        return (
            f'{_table(self.results)}\n\n{notes}\n\n'
            f'## What differs between the configs\n\n{settings}\n\n'
            f'## Machines and times\n\n{_table(self.machines, (0, 1, 2, 3, -1))}'
        )

    def save(self, path: str | Path) -> None:
        """Writes a page with curves and panels, or the tables, by the file's suffix."""
        content = f'# Training report\n\n{self.markdown()}\n'
        if Path(path).suffix.lower() == '.html':
            # Here, as Plotly may not be installed.
            from fpd_mmpose.run_reports.run_page import page_of

            content = page_of(self)
        with replace_when_done(path) as partial:
            partial.write_text(content, 'utf-8', 'backslashreplace')


def report_runs(
    folders: Iterable[str | Path],
    baseline: str | None = None,
    hourly_cost: float | None = None,
) -> RunReport:
    """Reads work directories, or ``NAME=WORK_DIR``, without executing their configs.

    ``baseline`` is a name or work directory, by default the first, and ``hourly_cost``
    the price of one process, and so of its GPU, for an hour.
    """
    if hourly_cost is not None and not 0 <= hourly_cost < inf:
        raise UserError(f'the hourly cost must be 0 or more, got {hourly_cost}')
    named = [_named(str(folder)) for folder in folders]
    rows = group_runs([(name, LoggedRun(folder)) for name, folder in named])
    for row in rows:
        folders = [run.folder.resolve() for run in row.runs]
        if baseline in (None, row.name) or Path(str(baseline)).resolve() in folders:
            return RunReport(rows, row, hourly_cost)
    names = ', '.join(row.name for row in rows)
    raise UserError(f'`baseline`: "{baseline}" is not one of the runs ({names})')


def gain_text(gain: Difference | str) -> str:
    """Formats a gain, as in ``+2.310 [+1.200, +3.400]``."""
    if isinstance(gain, str):
        return gain
    interval = '' if gain.low is None else f' [{gain.low:+.3f}, {gain.high:+.3f}]'
    return f'{gain.mean:+.3f}{interval}'


def _named(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition('=')
    return (name, folder) if equals and not Path(text).is_dir() else ('', text)


def _state(row: ResultRow) -> str:
    if not any(run.training for run in row.runs):
        return 'no training logged'
    missing = sum(not run.is_finished for run in row.runs)
    of = f'{missing} of {len(row.runs)} ' if len(row.runs) > 1 else ''
    return f'{of}running or stopped' if missing else 'finished'


def _best_at(run: LoggedRun) -> str:
    if run.best is None:
        return ''
    return f'epoch {run.best.epoch}' if run.best.epoch else f'step {run.best.step:,}'


def _machine(row: ResultRow, hourly_cost: float | None) -> Cells:
    run = row.first
    known, speed = run.environment, run.people_per_second
    graphics = [known[key] for key in known if re.match(r'GPU \d', key)]
    packages = (p for p in ('Python', 'PyTorch', 'MMEngine', 'OpenCV') if p in known)
    versions = [f'{name} {known[name].split(" ")[0]}' for name in packages]
    cells = {
        'Run': row.name,
        'Device': ', '.join(graphics) or ('CPU' if known else ''),
        'Processes': known.get('GPU number', ''),
        'Versions': ', '.join(versions),
        'Wall time': str(run.wall_time) if run.wall_time else '',
        'People / s': f'{speed:.1f}' if speed else '',
    }
    if hourly_cost is not None:
        processes = re.fullmatch(r'\d{1,6}', cells['Processes'])
        hours = run.wall_time.total_seconds() / 3600
        cost = hours * hourly_cost * int(processes[0] if processes else 1)
        cells['Cost'] = f'{cost:.2f}' if hours else ''
    return cells | {'Command line': run.command}


def _table(lines: Sequence[Cells], text: Sequence[int] = (0,)) -> str:
    rows = [[*cells.values()] for cells in lines]
    return markdown_table([*lines[0]], rows, text, pad=True) if lines else ''
