"""Reads what a run has left in its work directory so far, executing none of it."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from math import isnan, nan
from pathlib import Path
from statistics import median
from typing import NamedTuple

from fpd_mmpose.config import field
from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.text import read_text
from fpd_mmpose.reports.literal_config import read_literals
from fpd_mmpose.reports.logs import is_training, numbers_of, read_records
from fpd_mmpose.reports.table import LAYOUTS
from fpd_mmpose.weights.checkpoint import read_state_dict

_TIME = re.compile(r'^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) - ', re.M)
_ENVIRONMENT = re.compile(r'^System environment:\n', re.M)
_RULE = re.compile(r'^-{20,}$', re.M)
_COMMAND = re.compile(r'^.{0,100}? - Command line: (.{1,2000})$', re.M)
_NETWORK = re.compile(
    r' - Network: (\d[\d,]{0,19}) parameters, ([\d.]{1,20}) GFLOPs', re.M
)
_STATISTIC = re.compile(r'\.(running_(mean|var)|num_batches_tracked)$')

#: What ``DistillVisualizationHook`` draws, by the beginning of the name.
PICTURES = {
    'heatmaps': '{}, after {} steps',
    'worst_of_student': '{}: the people on whom it is farthest off, after {} steps',
    'worst_of_teacher': '{}: the people on whom its teacher is farthest off',
}


class Point(NamedTuple):
    """Logged values after so many steps, and for a validation epochs if counted."""

    step: int
    values: dict[str, float]
    epoch: int


class LoggedRun:
    """A run by its logs, of which each later one replaces the rest of the earlier."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        logs = [log.parent for log in self.folder.glob('*/*.log')]
        logs += [log.parents[1] for log in self.folder.glob('*/vis_data/scalars.json')]
        if not logs:
            raise UserError(
                f'"{folder}" has no run: give a work directory of `fpd train`, with '
                '<time>/vis_data/scalars.json'
            )
        self.training: list[Point] = []
        self.validations: list[Point] = []
        self._texts = []
        begin = ''
        for part in sorted({*logs}):
            log = part / f'{part.name}.log'
            self._texts += [log.read_text('utf-8', 'replace')] if log.is_file() else []
            training, validations = _read_points(part / 'vis_data' / 'scalars.json')
            if training:
                first = training[0].step
                self.training = [p for p in self.training if p.step < first]
                self.validations = [p for p in self.validations if p.step < first]
            # A resumed run may not say in its config what it first started from.
            begin = begin if self.training else part.name
            self.training += training
            self.validations += validations
        config = self.folder / begin / 'vis_data' / 'config.py'
        text = read_text(config, 'a config') if config.is_file() else ''
        self.settings = read_literals(text)

    @property
    def is_finished(self) -> bool:
        """Whether the last checkpoint has the length that the config says."""
        pointer = self.folder / 'last_checkpoint'
        text = read_text(pointer, 'the last checkpoint') if pointer.is_file() else ''
        saved = re.search(r'(epoch|iter)_(\d{1,15})\.pth', text)
        length = saved and field(self.settings, f'train_cfg.max_{saved[1]}s')
        return bool(saved and isinstance(length, int) and int(saved[2]) >= length)

    @property
    def metric(self) -> str | None:
        """The score that the best validation is chosen by, if there is any."""
        names = [*self.validations[0].values] if self.validations else []
        mains = [layout.columns[layout.main] for layout in LAYOUTS]
        chosen = field(self.settings, 'default_hooks.checkpoint.save_best')
        return next((n for n in [*mains, chosen, *names[:1]] if n in names), None)

    @property
    def best(self) -> Point | None:
        """The best validation so far, the first of equals."""
        rule = field(self.settings, 'default_hooks.checkpoint.rule')
        sign, metric = -1 if rule == 'less' else 1, self.metric or ''
        scored = [p for p in self.validations if not isnan(p.values.get(metric, nan))]
        return max(scored, key=lambda p: sign * p.values[metric], default=None)

    @cached_property
    def environment(self) -> dict[str, str]:
        """MMEngine's description of the machine and the packages."""
        text = next(filter(None, map(_environment, self._texts)), '')
        lines = re.findall(r'^ {4}([^:\n]{1,60}): (.*)$', text, re.M)
        return {name: value[:200] for name, value in lines}

    @property
    def seed(self) -> str | None:
        """The seed in the config, else the one that MMEngine drew; None if unknown."""
        chosen = field(self.settings, 'randomness.seed')
        return self.environment.get('seed') if chosen is None else str(chosen)

    @property
    def wall_time(self) -> timedelta:
        """From the first message of each log to its last."""
        total = timedelta()
        for times in filter(None, map(_TIME.findall, self._texts)):
            ends = (times[0], times[-1])
            with suppress(ValueError):  # no such day
                first, last = (datetime.strptime(t, '%Y/%m/%d %H:%M:%S') for t in ends)
                total += last - first
        return total

    @property
    def people_per_second(self) -> float:
        """The median of those that ``TrainingSpeedHook`` logged; 0 without it."""
        found = [point.values.get('people_per_second', nan) for point in self.training]
        return median([f for f in found if not isnan(f)] or [0])

    @property
    def command(self) -> str:
        """The command line of the first start; empty if it was not logged."""
        return self._logged(_COMMAND)

    @property
    def pictures(self) -> dict[str, Path]:
        """The last pictures of ``DistillVisualizationHook``, by what they show.

        The worst people of the student are those of the best validation.
        """
        chosen = {}
        best = f'worst_of_student_{self.best.step}' if self.best else ''
        for name in PICTURES:
            found = [*self.folder.glob(f'*/vis_data/vis_image/{name}_*.png')]
            found = [path for path in found if path.stem == best] or found
            if found:
                # The names end in steps, without leading zeros.
                chosen[name] = max(found, key=lambda p: (len(p.stem), p.stem, p))
        return chosen

    def _logged(self, pattern: re.Pattern[str], group: int = 1) -> str:
        found = next(filter(None, map(pattern.search, self._texts)), None)
        return found[group] if found else ''

    @property
    def gflops(self) -> str:
        """The reference's GFLOPs, as logged by ``TrainingSpeedHook``; '' without it."""
        return self._logged(_NETWORK, 2)

    def parameters(self) -> int | None:
        """The number that was logged, or else of the weights in a checkpoint."""
        if found := self._logged(_NETWORK):
            return int(found.replace(',', ''))
        files = [*self.folder.glob('best_*.pth'), *self.folder.glob('*.pth')]
        with suppress(UserError, IndexError):
            state = read_state_dict(str(files[0]))
            return sum(w.numel() for n, w in state.items() if not _STATISTIC.search(n))
        return None


def _environment(text: str) -> str:
    """Finds each end by itself: both in one pattern take hours in a hostile log."""
    begin = _ENVIRONMENT.search(text)
    end = begin and _RULE.search(text, begin.end())
    return text[begin.end() : end.start()] if begin and end else ''


def _read_points(log: Path) -> tuple[list[Point], list[Point]]:
    training: list[Point] = []
    validations: list[Point] = []
    # A run that begins may have written nothing, or half a line.
    if log.is_file() and b'\n' in log.read_bytes():
        for record in read_records(log):
            values, step = numbers_of(record), record.get('step', 0)
            if is_training(record):
                training.append(Point(step, values, 0))
            else:
                after = training[-1].step if training else 0
                validations.append(Point(after, values, step))
    return training, validations
