"""Reads what a run has left in its work directory so far, executing none of it."""

import re
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.text import read_text
from fpd_mmpose.reports.literal_config import field, read_literals
from fpd_mmpose.reports.logs import numbers_of, read_records
from fpd_mmpose.reports.table import LAYOUTS
from fpd_mmpose.weights.checkpoint import read_state_dict

_TIME = re.compile(r'^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) - ', re.M)
_ENVIRONMENT = re.compile(r'^System environment:\n(.*?)^-{20,}$', re.M | re.S)
_STATISTIC = re.compile(r'\.(running_(mean|var)|num_batches_tracked)$')
#: Scores of which less is better.
_ERRORS = re.compile(r'EPE|NME|loss', re.I)


class Point(NamedTuple):
    """Logged values after so many steps, and for a validation the epochs."""

    step: int
    values: dict[str, float]
    epoch: int = 0


class LoggedRun:
    """A finished or running training, from its logs.

    A work directory of a resumed run has several time-stamped folders: a later folder
    replaces the earlier ones from its first step on.

    Args:
        folder: The work directory.

    Attributes:
        settings: Fields of the config, see
            :func:`fpd_mmpose.reports.literal_config.read_literals`.
        training: What was logged in training.
        validations: The scores.
        environment: MMEngine's description of the machine and the packages.

    Raises:
        UserError: If there is no run, or if a log is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UserError(
                f'"{folder}" is not a folder: give work directories of runs'
            )
        logs = sorted(self.folder.glob('*/*.log'))
        # The folder of a test has no training, and that of a crash may have no log.
        self._parts = [log.parent for log in logs if log.stem == log.parent.name]
        self._parts += [
            log.parents[1]
            for log in self.folder.glob('*/vis_data/scalars.json')
            if log.parents[1] not in self._parts
        ]
        if not self._parts:
            raise UserError(
                f'"{folder}" has no run: expected <time>/vis_data/scalars.json, as '
                '`fpd train` leaves it'
            )
        self.training: list[Point] = []
        self.validations: list[Point] = []
        first = ''
        for part in sorted(self._parts):
            training, validations = _read_points(part / 'vis_data' / 'scalars.json')
            if training:
                start = training[0].step
                self.training = [p for p in self.training if p.step < start]
                self.validations = [p for p in self.validations if p.step < start]
            # A resumed run may not say in its config what it first started from.
            if not self.training or not first:
                first = part.name
            self.training += training
            self.validations += validations
        self.settings = _read_config(self.folder, first)
        self.environment = _read_environment(self._parts)

    @property
    def by_epoch(self) -> bool:
        """Whether the run counts epochs rather than steps."""
        return 'max_iters' not in (field(self.settings, 'train_cfg') or {})

    @property
    def is_finished(self) -> bool:
        """Whether it has reached the length in its config."""
        name = 'epoch' if self.by_epoch else 'iter'
        length = field(self.settings, f'train_cfg.max_{name}s')
        pointer = self.folder / 'last_checkpoint'
        text = read_text(pointer, 'the last checkpoint') if pointer.is_file() else ''
        saved = re.search(rf'{name}_(\d{{1,15}})\.pth', text)
        reached = [int(saved[1])] if saved else [0]
        if self.by_epoch:
            reached += [point.epoch for point in self.validations]
        else:
            reached += [point.step for point in self.training]
        return isinstance(length, int) and max(reached) >= length

    @property
    def metric(self) -> str | None:
        """The score that the best validation is chosen by, if there is any."""
        names = list(self.validations[0].values) if self.validations else []
        mains = [layout.columns[layout.main] for layout in LAYOUTS]
        chosen = field(self.settings, 'default_hooks.checkpoint.save_best')
        return next((n for n in [*mains, chosen, *names[:1]] if n in names), None)

    @property
    def less_is_better(self) -> bool:
        """Whether the metric is an error."""
        rule = field(self.settings, 'default_hooks.checkpoint.rule')
        return rule == 'less' or not rule and bool(_ERRORS.search(self.metric or ''))

    @property
    def best(self) -> Point | None:
        """The best validation so far, the first of equals."""
        metric, sign = self.metric, -1 if self.less_is_better else 1
        scored = [p for p in self.validations if p.values.get(metric or '') is not None]
        valid = [p for p in scored if p.values[metric or ''] == p.values[metric or '']]
        return max(valid, key=lambda p: sign * p.values[metric or ''], default=None)

    @property
    def seconds(self) -> tuple[float, bool] | None:
        """The time from the first line of the log to the last, or about that."""
        spans = []
        for part in self._parts:
            times = _TIME.findall(_log_text(part))
            ends = [
                datetime.strptime(t, '%Y/%m/%d %H:%M:%S')
                for t in times[:: len(times) - 1 or 1]
            ]
            spans.append((ends[-1] - ends[0]).total_seconds() if ends else 0)
        if any(spans):
            return sum(spans), True
        # A log without messages: the time of the steps, without the validations.
        times = [p.values['time'] for p in self.training if 'time' in p.values]
        return (fmean(times) * self.training[-1].step, False) if times else None

    @property
    def people_per_second(self) -> float | None:
        """The median of those logged by ``TrainingSpeedHook``."""
        found = [p.values.get('people_per_second') for p in self.training]
        return median([f for f in found if f is not None] or [0]) or None

    @property
    def panel(self) -> Path | None:
        """The last picture of ``DistillVisualizationHook``."""
        found = self.folder.glob('*/vis_data/vis_image/heatmaps_*.png')
        return max(found, default=None, key=_step_of)

    def parameters(self) -> int | None:
        """Counts the weights in the best checkpoint, or in any other one."""
        files = [*self.folder.glob('best_*.pth'), *self.folder.glob('*.pth')]
        for file in files[:1]:
            try:
                weights = read_state_dict(str(file))
            except UserError:
                return None
            return sum(
                w.numel() for n, w in weights.items() if not _STATISTIC.search(n)
            )
        return None


def _step_of(panel: Path) -> tuple[int, str]:
    number = panel.stem.rpartition('_')[2]
    return int(number) if re.fullmatch(r'\d{1,15}', number) else -1, str(panel)


def _log_text(part: Path) -> str:
    log = part / f'{part.name}.log'
    return log.read_text(encoding='utf-8', errors='replace') if log.is_file() else ''


def _read_points(log: Path) -> tuple[list[Point], list[Point]]:
    if not log.is_file():
        return [], []
    with log.open('rb') as file:
        if not file.readline().endswith(b'\n'):  # nothing complete has been written
            return [], []
    training: list[Point] = []
    validations = []
    for record in read_records(log):
        values = numbers_of(record)
        if 'epoch' in record and 'step' in record:
            if isinstance(record.get('time'), (int, float)):
                values['time'] = float(record['time'])
            training.append(Point(record['step'], values, record['epoch']))
        elif values:
            step = training[-1].step if training else 0
            validations.append(Point(step, values, record.get('step', 0)))
    return training, validations


def _read_config(folder: Path, part: str) -> dict[str, Any]:
    dumped = folder / part / 'vis_data' / 'config.py'
    copies = [dumped] if dumped.is_file() else list(folder.glob('*.py'))
    if len(copies) != 1:
        return {}
    return read_literals(read_text(copies[0], 'the config of a run'))


def _read_environment(parts: list[Path]) -> dict[str, str]:
    for part in parts:
        if found := _ENVIRONMENT.search(_log_text(part)):
            lines = re.findall(r'^ {4}([^:\n]{1,60}): (.*)$', found[1], re.M)
            return {name: value[:200] for name, value in lines}
    return {}
