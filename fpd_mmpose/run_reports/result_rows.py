"""The rows of a report: runs, and groups of runs that differ in their seeds alone."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from fpd_mmpose.config import field
from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.literal_config import differ_by_seed, differences
from fpd_mmpose.run_reports.logged_run import LoggedRun
from fpd_mmpose.studies.paired_statistics import Difference, paired_difference

OTHER_DATA = 'other data'
_SEED = re.compile(r'(^|[/_-])seed[_-]?\d+(?=/|$)')


@dataclass
class ResultRow:
    """A run, or runs that differ in their seeds alone, of which each is in order."""

    name: str
    runs: list[LoggedRun]

    @property
    def first(self) -> LoggedRun:
        """The run that stands for all where they do not differ."""
        return self.runs[0]

    def mean(self, metric: str) -> float | None:
        """Averages a score of the best validations; None if a run has none."""
        found = [run.best.values.get(metric) if run.best else None for run in self.runs]
        known = [value for value in found if value is not None]
        return fmean(known) if len(known) == len(found) else None

    def over(self, baseline: 'ResultRow') -> Difference | str:
        """Compares best scores, of the same seeds if there are any, or says why not."""
        metric, own = baseline.first.metric, self.first.metric
        if metric is None or own is None or self is baseline:
            return ''
        if own != metric or not _on_same_people(self.first, baseline.first):
            return OTHER_DATA
        ours, theirs = (
            {run.seed: run.best.values[metric] for run in row.runs if run.best}
            for row in (self, baseline)
        )
        if not ours or not theirs:
            return ''
        pairs = [(ours[s], theirs[s]) for s in theirs if s in ours and s is not None]
        pairs = pairs or [(fmean(ours.values()), fmean(theirs.values()))]
        return paired_difference([ours for ours, _ in pairs], [its for _, its in pairs])


def _on_same_people(run: LoggedRun, other: LoggedRun) -> bool:
    name = 'val_dataloader.dataset'
    found = differences([field(one.settings, name) for one in (run, other)])
    return all(path.split('.')[0] == 'pipeline' for path in found)


def group_runs(runs: Sequence[tuple[str, LoggedRun]]) -> list[ResultRow]:
    """Makes rows of named runs; an empty name is replaced by that of the folder."""
    rows: list[ResultRow] = []
    for name, run in runs:
        for row in rows:
            is_new = run.seed not in [None, *(other.seed for other in row.runs)]
            same = name == row.name and differ_by_seed(row.first.settings, run.settings)
            if is_new and same:
                row.runs.append(run)
                break
        else:
            rows.append(ResultRow(name, [run]))
    folders = [run.folder.resolve() for _, run in runs]
    above = os.path.commonpath([folder.parent for folder in folders])
    for row in rows:
        taken = [other.name for other in rows if other is not row]
        if not row.name:
            path = row.first.folder.resolve().relative_to(above).as_posix()
            short = _SEED.sub('', path) or Path(above).name
            row.name = path if len(row.runs) == 1 or short in taken else short
        if row.name in taken:
            raise UserError(f'two runs are named "{row.name}": give NAME=WORK_DIR')
    return rows
