"""What came out of a study, as tables and pictures."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done, write_json
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.studies.charts import COLORS, Bar, Curve, save_curves, save_gain_bars
from fpd_mmpose.studies.paired_statistics import (
    Difference,
    paired_difference,
    paired_difference_of_people,
)
from fpd_mmpose.studies.run_curve import RunCurve, join_curves, read_curve
from fpd_mmpose.studies.run_record import RECORD
from fpd_mmpose.studies.study_plan import StudyPlan


@dataclass(frozen=True)
class StudyRow:
    """What came out of an arm, whose start is included in steps, samples, and time.

    On the CPU, the time is that of all cores together, which other programs do not
    change.
    """

    label: str  # the arm's name in tables
    scores: dict[int, float]  # the metric by seed
    steps: int  # of the optimizer, in a run
    samples: int  # people that a run was shown
    seconds: float | None  # mean training time of a run; None for unknown
    over: dict[str, Difference]  # paired differences to the baselines, by arm

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.scores.values())


class StudyReport:
    """The scores of a study, with the differences between arms.

    Args:
        plan: What was compared.
        out: Folder of the runs.
        records: What each run left, by arm and seed.
    """

    def __init__(
        self,
        plan: StudyPlan,
        out: Path,
        records: Mapping[tuple[str, int], dict[str, Any]],
    ) -> None:
        self.plan = plan
        self.out = out
        self.records = records

    @cached_property
    def rows(self) -> dict[str, StudyRow]:
        """The results by name of the arm."""
        return {name: self._row(name) for name in self.plan.arms}

    def difference(self, name: str, baseline: str) -> Difference:
        """Compares an arm with another one, seed by seed.

        An arm with one run for all seeds is compared with each seed of the other.
        """
        pairs = [
            (self._record(name, seed), self._record(baseline, seed))
            for seed in self.plan.seeds
        ]
        people = {len(record.get('right', ())) for pair in pairs for record in pair}
        if len(people) == 1 and people != {0}:
            ours, theirs = (
                np.array([pair[side]['right'] for pair in pairs]) for side in (0, 1)
            )
            return paired_difference_of_people(
                ours, theirs, np.array(pairs[0][0]['annotated'])
            )
        ours, theirs = (
            np.array([self._score(each, seed) for seed in self.plan.seeds])
            for each in (name, baseline)
        )
        return paired_difference(ours, theirs)

    def mean_of(self, name: str, metric: str) -> float:
        """Averages any metric of an arm over the seeds."""
        seeds = {self.plan.seed_of(name, seed) for seed in self.plan.seeds}
        return statistics.fmean(self._score(name, seed, metric) for seed in seeds)

    def markdown(self) -> str:
        """Formats the table."""
        baselines = [self.plan.arms[name].label for name in self.plan.baselines]
        headings = ['', 'steps', 'samples', 'time', self.plan.metric]
        for label in baselines:
            headings += [f'over {label}', 'ahead']
        times = [row.seconds for row in self.rows.values() if row.seconds]
        of_baselines = [self.rows[name].seconds for name in self.plan.baselines]
        # The time that the others are multiples of.
        unit = next(filter(None, of_baselines), None) or min(times, default=1)
        lines = []
        for row in self.rows.values():
            cells = [
                row.label,
                f'{row.steps:,}',
                f'{row.samples:,}',
                f'{row.seconds / unit:.2f}' if row.seconds else '',
                f'{row.mean:.2f}',
            ]
            for name in self.plan.baselines:
                over = row.over.get(name)
                ahead = over and f'{over.ahead} of {over.pairs}'
                cells += [str(over or ''), ahead or '']
            lines.append(cells)
        return markdown_table(headings, lines, pad=True)

    def save(self) -> None:
        """Writes the table and the pictures to the folder of the runs."""
        content = {
            name: dict(
                label=row.label,
                scores={str(seed): score for seed, score in row.scores.items()},
                mean=row.mean,
                steps=row.steps,
                samples=row.samples,
                seconds=row.seconds,
                over={other: vars(found) for other, found in row.over.items()},
            )
            for name, row in self.rows.items()
        }
        write_json(self.out / 'results.json', content, indent=1)
        with replace_when_done(self.out / 'results.md') as partial:
            partial.write_text(self.markdown() + '\n', encoding='utf-8')
        if self.plan.baselines:
            self._draw_gains(self.out / 'gains.png')
        self._draw_curves(self.out / 'curves.png')

    def _row(self, name: str) -> StudyRow:
        plan, arm = self.plan, self.plan.arms[name]
        seeds = list(dict.fromkeys(plan.seed_of(name, seed) for seed in plan.seeds))
        records = [self._record(name, seed) for seed in seeds]
        before = self._row(arm.start_from) if arm.start_from else None
        times = [record['seconds'] for record in records if record['seconds']]
        seconds = statistics.fmean(t['training'] for t in times) if times else None
        return StudyRow(
            label=arm.label,
            scores={seed: self._score(name, seed) for seed in seeds},
            steps=records[0]['steps'] + (before.steps if before else 0),
            samples=records[0]['samples'] + (before.samples if before else 0),
            seconds=seconds and seconds + ((before and before.seconds) or 0),
            over={
                other: self.difference(name, other)
                for other in plan.baselines
                if other != name
            },
        )

    def _record(self, name: str, seed: int) -> dict[str, Any]:
        return self.records[name, self.plan.seed_of(name, seed)]

    def _score(self, name: str, seed: int, metric: str = '') -> float:
        scores, metric = self._record(name, seed)['scores'], metric or self.plan.metric
        if metric not in scores:
            folder = self.plan.folder(self.out, name, self.plan.seed_of(name, seed))
            raise UserError(
                f'"{folder / RECORD}" has no score "{metric}": the metric of the study '
                f'can be {", ".join(scores)}'
            )
        return scores[metric]

    def _draw_gains(self, path: Path) -> None:
        baseline = self.plan.baselines[0]
        bars = []
        for name, row in self.rows.items():
            found = row.over.get(baseline)
            gain = None
            if found and found.low is not None and found.high is not None:
                gain = (found.low, found.mean, found.high)
            bars.append(Bar(row.label, self._color(name), [*row.scores.values()], gain))
        drawn = 'people and seeds' if len(self.plan.seeds) > 1 else 'people'
        label = f'over {self.rows[baseline].label}, 95% interval over {drawn}'
        save_gain_bars(path, bars, self.plan.metric, label)

    def _draw_curves(self, path: Path) -> None:
        seed = self.plan.seeds[0]
        curves = []
        for name, arm in self.plan.arms.items():
            label, color = arm.label, self._color(name)
            if arm.single:
                curves.append(Curve(label, color, fixed=self._score(name, seed)))
                continue
            parts = [self._curve(name, seed)]
            if arm.start_from:
                parts.insert(0, self._curve(arm.start_from, seed))
            curves.append(join_curves(label, color, parts))
        save_curves(path, curves, self.plan.metric)

    def _curve(self, name: str, seed: int) -> RunCurve:
        folder = self.plan.folder(self.out, name, self.plan.seed_of(name, seed))
        return read_curve(folder, self._record(name, seed), self.plan.metric)

    def _color(self, name: str) -> str:
        number = [*self.plan.arms].index(name) % len(COLORS)
        default = [*COLORS.values()][number]
        return COLORS.get(self.plan.arms[name].color, default)
