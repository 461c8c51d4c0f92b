"""The rows of a report: runs, and groups of runs that differ in their seeds alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from fpd_mmpose.reports.literal_config import differ_by_seed, differences, field
from fpd_mmpose.run_reports.logged_run import LoggedRun
from fpd_mmpose.studies.paired_statistics import Difference, paired_difference

_SEED_NAME = re.compile(r'(^|[_-])seed[_-]?\d+$')


@dataclass
class ResultRow:
    """A run, or runs that differ in their seeds alone."""

    name: str
    runs: list[LoggedRun]

    @property
    def first(self) -> LoggedRun:
        """The run that stands for all where they do not differ."""
        return self.runs[0]

    @property
    def seeds(self) -> list[Any]:
        """The seeds, of which one may be unknown."""
        return [seed_of(run) for run in self.runs]

    def mean(self, metric: str) -> float | None:
        """Averages a score of the best validations; None if a run has none."""
        found = [run.best and run.best.values.get(metric) for run in self.runs]
        known = [value for value in found if value is not None]
        return fmean(known) if len(known) == len(found) else None

    def over(self, baseline: 'ResultRow') -> Difference | str:
        """Compares the best scores, by seeds if both have some in common.

        Returns the reason where that cannot be done.
        """
        metric, own = baseline.first.metric, self.first.metric
        if metric is None or own is None:
            return ''
        if own != metric or not _on_same_people(self.first, baseline.first):
            return 'other data'
        if self.mean(metric) is None or baseline.mean(metric) is None:
            return ''
        seeds = [seed for seed in baseline.seeds if seed in self.seeds]
        if not seeds or None in seeds:
            ours, theirs = [self.mean(metric)], [baseline.mean(metric)]
        else:
            ours, theirs = (
                [row._score(seed, metric) for seed in seeds] for row in (self, baseline)
            )
        return paired_difference(ours, theirs)  # type: ignore[arg-type]

    def _score(self, seed: Any, metric: str) -> float | None:
        best = self.runs[self.seeds.index(seed)].best
        return best and best.values[metric]


def _on_same_people(run: LoggedRun, other: LoggedRun) -> bool:
    name = 'val_dataloader.dataset'
    found = differences([field(one.settings, name) for one in (run, other)])
    return all(name.split('.')[0] == 'pipeline' for name, _ in found)


def seed_of(run: LoggedRun) -> Any:
    """Returns the seed of a run as a number or text; None if it is not known."""
    seed = field(run.settings, 'randomness.seed')
    if seed is None and run.environment.get('seed', 'None') != 'None':
        return run.environment['seed']
    return seed


def group_runs(runs: Sequence[tuple[str, LoggedRun]]) -> list[ResultRow]:
    """Makes rows of named runs; an empty name is replaced by that of the folder."""
    rows: list[ResultRow] = []
    for name, run in runs:
        for row in rows:
            seed, first = seed_of(run), row.first.settings
            is_new = seed is not None and seed not in row.seeds
            if name == row.name and is_new and differ_by_seed(first, run.settings):
                row.runs.append(run)
                break
        else:
            rows.append(ResultRow(name, [run]))
    unnamed = [row for row in rows if not row.name]
    depth = 1
    while True:
        for row in unnamed:
            row.name = _folder_name(row, depth)
        names = [row.name for row in rows]
        if len({*names}) == len(names) or depth == 9:
            break
        depth += 1
    for number, row in enumerate(rows, 1):
        if names.count(row.name) > 1:
            row.name += f' ({number})'
    return rows


def _folder_name(row: ResultRow, depth: int) -> str:
    """Returns the last folders of a path, without those that name a seed."""
    parts = Path(row.first.folder).resolve().parts[1:]
    if len(row.runs) > 1:
        parts = tuple(filter(None, (_SEED_NAME.sub('', part) for part in parts)))
    return '/'.join(parts[-depth:]) or str(row.first.folder)
