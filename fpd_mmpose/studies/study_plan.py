"""What a study compares: its arms, and the config of each run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from fpd_mmpose.config import find_config, load_config, set_data_root
from fpd_mmpose.distillation import distillation_config, merge_options
from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.schedules import scale_length

#: The weights that a run leaves in its folder.
WEIGHTS = 'weights.pth'


@dataclass(frozen=True)
class Arm:
    """One way to train a network, for all seeds of a study.

    ``stored`` tells whether the teacher's outputs are stored before training, or how:
    the options of :func:`fpd_mmpose.cache_teacher`. With ``time_of``, the arm gets the
    training time of that arm, by the measured times of that one and of ``like`` with
    the first seed.
    """

    name: str  # of its folder
    config: str  # of the network; see :func:`fpd_mmpose.config.load_config`
    label: str = ''  # its name in tables and pictures
    color: str = ''  # in pictures, one of ``charts.COLORS``
    checkpoint: str | None = None  # weights to score as they are, without training
    #: Fields of the config by dotted name. ``{seed}`` in a text is replaced.
    options: Mapping[str, Any] = field(default_factory=dict)
    teacher: str | None = None  # the arm whose network is the teacher
    start_from: str | None = None  # the arm whose weights are the start
    stored: bool | Mapping[str, Any] = False
    once: bool = False  # whether the first seed alone is trained, as a teacher of all
    length: float = 1  # factor of epochs or steps; 0 keeps the initial weights
    time_of: str | None = None
    like: str | None = None  # the arm whose fields this one has where it sets none

    @property
    def single(self) -> bool:
        """Whether one run stands for all seeds."""
        return self.once or self.checkpoint is not None

    @property
    def trains(self) -> bool:
        """Whether its runs train a network, and do not only score one."""
        return self.length > 0 and self.checkpoint is None


@dataclass(frozen=True)
class StudyPlan:
    """Arms to compare, with paired seeds."""

    arms: Mapping[str, Arm]  # by name, each after those it needs
    baselines: Sequence[str]  # the arms that the others are compared with
    seeds: Sequence[int]  # of initial weights, of the order of people, and in {seed}
    metric: str = 'PCKh/Mean'  # what is compared
    #: Fields of all configs by dotted name.
    options: Mapping[str, Any] = field(default_factory=dict)
    data_root: str | None = None  # defaults to that of each config

    def runs(self) -> list[tuple[str, int]]:
        """Lists arm and seed of every run: all arms of a seed before the next seed."""
        return [
            (name, seed)
            for number, seed in enumerate(self.seeds)
            for name, arm in self.arms.items()
            if not (arm.single and number)
        ]

    def seed_of(self, name: str, seed: int) -> int:
        """Returns the seed of the run that an arm has for a seed."""
        return self.seeds[0] if self.arms[name].single else seed

    def needed_by(self, name: str, seed: int) -> list[tuple[str, int]]:
        """Lists the runs that must end before a run begins."""
        arm = self.arms[name]
        used = [other for other in (arm.teacher, arm.start_from) if other]
        needed = {(other, self.seed_of(other, seed)) for other in used}
        # Times of the first seed, so that the number of seeds changes nothing.
        timed = [arm.time_of, arm.like or ''] if arm.time_of else []
        return sorted(needed | {(other, self.seeds[0]) for other in timed})

    def folder(self, out: Path, name: str, seed: int) -> Path:
        """Returns the folder of the run that an arm has for a seed."""
        if self.arms[name].single:
            return out / name
        return out / name / f'seed_{seed}'

    def config(self, name: str, seed: int, out: Path, length: float) -> Config:
        """Builds the config of a run whose needed runs are in ``out``."""
        arm = self.arms[name]
        config = load_config(str(find_config(arm.config)))
        if arm.teacher:
            teacher = self.arms[arm.teacher]
            weights = self._weights(out, arm.teacher, seed)
            given: Any = teacher.config
            if teacher.options:
                # Its network may be another than that of the file.
                given = self.config(arm.teacher, seed, out, 1).to_dict()
            fields = dict(config=given, checkpoint=weights)
            config = distillation_config(config, fields)
        options = _with_seed({**self.options, **arm.options}, seed)
        if self.data_root:
            set_data_root(config, self.data_root)
        merge_options(config, options)
        if length not in (0, 1):
            scale_length(config, length)
        if arm.start_from:
            config.load_from = self._weights(out, arm.start_from, seed)
        elif arm.checkpoint:
            config.load_from = arm.checkpoint
        if arm.stored:
            config.model.teacher.cache = str(
                self.folder(out, name, seed) / 'teacher.sqlite'
            )
        config.work_dir = str(self.folder(out, name, seed))
        # The scores of given weights do not depend on a seed.
        drawn = 0 if arm.checkpoint else seed
        config.randomness = dict(config.get('randomness') or {}, seed=drawn)
        # MMEngine shares logs and visualizers between runs of the same name.
        config.experiment_name = f'{name}_{drawn}'
        if config.get('visualizer'):
            config.visualizer.name = config.experiment_name
        config.log_level = 'ERROR'
        return config

    def _weights(self, out: Path, name: str, seed: int) -> str:
        arm = self.arms[name]
        return arm.checkpoint or str(self.folder(out, name, seed) / WEIGHTS)


def read_study(path: str | Path) -> StudyPlan:
    """Reads a study file.

    It is a config file with ``arms``, a dict of the fields of :class:`Arm` by name,
    ``baselines``, ``seeds``, and optionally the other fields of :class:`StudyPlan`.
    Names that begin with an underscore are for use within the file.
    """
    path = find_config(path)
    try:
        found = Config.fromfile(path).to_dict()
    except Exception as error:
        raise UserError(
            f'study "{path}" cannot be read: {first_line(error)}'
        ) from error
    # Other names help to write the file.
    content = {key: value for key, value in found.items() if key[0] != '_'}
    with_arms = content.pop('arms', None)
    if not isinstance(with_arms, dict) or not with_arms:
        raise UserError(f'study "{path}" has no `arms`: a dict of arms by name')
    known = {each.name for each in fields(StudyPlan)}
    if unknown := sorted(set(content) - known):
        raise UserError(f'study "{path}": there is no field "{unknown[0]}"')
    arms: dict[str, Arm] = {}
    for name, given in with_arms.items():
        arms[name] = _read_arm(path, name, given, arms)
    plan = StudyPlan(arms=arms, **{'baselines': (), 'seeds': (0,), **content})
    for name in plan.baselines:
        if name not in arms:
            raise UserError(f'study "{path}": the baseline "{name}" is not an arm')
    return replace(plan, seeds=check_seeds(plan.seeds))


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Returns seeds, which must be different whole numbers, 0 or more."""
    whole = all(type(seed) is int and seed >= 0 for seed in seeds)
    if not seeds or not whole or len(set(seeds)) < len(seeds):
        raise UserError(
            f'seeds must be different whole numbers, 0 or more, got {list(seeds)}'
        )
    return tuple(seeds)


def _read_arm(
    path: Path, name: str, given: dict[str, Any], before: Mapping[str, Arm]
) -> Arm:
    where = f'study "{path}", arm "{name}"'
    if not re.fullmatch(r'[A-Za-z0-9_][A-Za-z0-9_.-]*', name):
        raise UserError(f'{where}: the name must be letters, digits, "_", "-", and "."')
    known = {each.name for each in fields(Arm)} - {'name'}
    if unknown := sorted(set(given) - known):
        raise UserError(f'{where}: there is no field "{unknown[0]}"')
    for role in ('like', 'teacher', 'start_from', 'time_of'):
        if given.get(role) and given[role] not in before:
            raise UserError(f'{where}: {role} "{given[role]}" is not an arm before it')
    values = dict(given)
    if parent := given.get('like'):
        inherited = {key: getattr(before[parent], key) for key in known}
        inherited.update(label='', time_of=None)
        options = {**before[parent].options, **given.get('options', {})}
        values = {**inherited, **given, 'options': options}
    if not values.get('config'):
        raise UserError(f'{where}: it has neither `config` nor `like`')
    if values.get('time_of') and not parent:
        raise UserError(f'{where}: time_of needs `like`, an arm of the same cost')
    if values.get('length', 1) < 0:
        raise UserError(f'{where}: length must not be negative')
    if values.get('stored') and not values.get('teacher'):
        raise UserError(f'{where}: stored needs `teacher`')
    values['label'] = values.get('label') or name.replace('_', ' ')
    return Arm(name=name, **values)


def _with_seed(value: Any, seed: int) -> Any:
    if isinstance(value, str):
        return value.replace('{seed}', str(seed))
    if isinstance(value, Mapping):
        return {key: _with_seed(each, seed) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_seed(each, seed) for each in value]
    return value
