"""The reference's result tables, in Markdown and CSV."""

import csv
import io
import statistics
from dataclasses import dataclass
from pathlib import Path

from fpd_mmpose.evaluation.fpd_coco_metric import COCO_SCORES
from fpd_mmpose.evaluation.mpii_pckh import SCORES
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.reports.budgets import Budget
from fpd_mmpose.reports.complexity import Complexity


@dataclass(frozen=True)
class TableLayout:
    """A kind of table of the reference."""

    name: str  # of the dataset
    columns: dict[str, str]  # metrics by heading
    extra: dict[str, str]  # metrics that are shown if all runs have them
    main: str  # heading of the score that gains are computed from
    size_first: bool  # whether input size and cost come before the scores
    note: str = ''  # an explanation of a column


#: What a table can be written as.
SUFFIXES = ('.md', '.csv')
MPII = TableLayout(
    name='MPII',
    columns={name: f'PCKh/{name}' for name in SCORES},
    extra={name: f'PCKh/{name}' for name in ('PCKh@0.1', 'AUC')},
    main='Mean',
    size_first=False,
    note="Mean@0.1 is the reference's name for the mean at 0.11.",
)
COCO = TableLayout(
    name='COCO',
    # The reference writes "Ap .5".
    columns={
        'Ap .5' if name == 'AP .5' else name: f'coco/{name}' for name in COCO_SCORES
    },
    extra={},
    main='AP',
    size_first=True,
)
LAYOUTS = (MPII, COCO)


@dataclass(frozen=True)
class Row:
    """A run, or several runs that differ in their seeds."""

    name: str
    scores: dict[str, tuple[float, ...]]  # of each run, by heading
    input_size: tuple[int, int]  # width and height
    complexity: Complexity
    budget: Budget
    over: str | None = None  # the baseline of the gain
    gain: float | None = None  # in the main score
    equal: bool = True  # whether the baseline has the same budget

    @property
    def count(self) -> int:
        """Number of runs."""
        return len(next(iter(self.scores.values())))

    def mean(self, heading: str) -> float:
        """Averages a score over the runs."""
        return statistics.fmean(self.scores[heading])

    def spread(self, heading: str) -> float | None:
        """Returns the sample standard deviation of a score, or None for one run."""
        return statistics.stdev(self.scores[heading]) if self.count > 1 else None


@dataclass(frozen=True)
class Table:
    """A comparison of runs."""

    layout: TableLayout
    rows: tuple[Row, ...]
    seeds: bool  # whether a row may stand for several runs
    notes: tuple[str, ...]  # shown below the table

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the scores, in order."""
        return tuple(self.rows[0].scores)

    @property
    def has_gains(self) -> bool:
        """Whether gains over a baseline are shown."""
        return any(row.gain is not None for row in self.rows)

    def save(self, path: str | Path) -> None:
        """Writes the table in the format of the file's suffix."""
        is_csv = Path(path).suffix.lower() == '.csv'
        with replace_when_done(path) as partial:
            content = self.csv() if is_csv else self.markdown() + '\n'
            partial.write_text(content, encoding='utf-8')

    def markdown(self) -> str:
        """Formats the table as the reference prints it, with notes below."""
        cells = [self._cells(row) for row in self.rows]
        table = markdown_table(
            list(cells[0]), [list(row.values()) for row in cells], pad=True
        )
        return '\n'.join([table, '', *(f'- {note}' for note in self.notes)])

    def _cells(self, row: Row) -> dict[str, str]:
        cost = {
            '#Params': f'{_short(row.complexity.params / 1e6)}M',
            'GFLOPs': _short(row.complexity.gflops_reference),
        }
        if self.layout.size_first:
            cost = {'Input size': _size(row), **cost}
        scores = {heading: _score(row, heading) for heading in self.headings}
        first, second = (cost, scores) if self.layout.size_first else (scores, cost)
        cells = {'Arch': row.name}
        if self.seeds:
            cells['Runs'] = str(row.count)
        cells |= first | second
        cells['Epochs'] = str(row.budget)
        cells['Steps'] = _thousands(row.budget.steps)
        cells['Samples'] = _thousands(row.budget.samples)
        if self.has_gains:
            mark = '' if row.equal else '*'
            cells['Gain'] = '' if row.gain is None else f'{row.gain:+.3f}{mark}'
        return cells

    def csv(self) -> str:
        """Formats the table for a spreadsheet, with empty cells for unknown values."""
        records = [self._record(row) for row in self.rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()

    def _record(self, row: Row) -> dict[str, object]:
        record: dict[str, object] = {
            'Arch': row.name,
            'Runs': row.count,
            'Input size': _size(row),
            '#Params': row.complexity.params,
            'MACs': row.complexity.macs,
            'GFLOPs': f'{row.complexity.gflops_reference:.3f}',
        }
        for heading in self.headings:
            record[heading] = f'{row.mean(heading):.3f}'
            if self.seeds:
                spread = row.spread(heading)
                record[f'{heading} std'] = None if spread is None else f'{spread:.3f}'
        record |= {
            'Epochs': row.budget.total,
            'Steps': row.budget.steps,
            'Samples': row.budget.samples,
        }
        if self.has_gains:
            gained = row.gain is not None
            record['Gain'] = f'{row.gain:.3f}' if gained else None
            record['Gain over'] = row.over
            record['Equal budget'] = ('yes' if row.equal else 'no') if gained else None
        return record


def _short(number: float) -> str:
    return f'{number:.1f}' if number >= 1 else f'{number:.2g}'


def _size(row: Row) -> str:
    # Height first, as in the reference's tables.
    width, height = row.input_size
    return f'{height}x{width}'


def _score(row: Row, heading: str) -> str:
    spread = row.spread(heading)
    score = f'{row.mean(heading):.3f}'
    return score if spread is None else f'{score} ± {spread:.3f}'


def _thousands(number: int | None) -> str:
    return '?' if number is None else f'{number:,}'
