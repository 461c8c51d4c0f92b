"""Matches the heatmaps of a teacher with the joints of a student."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import DATASETS
from torch import Tensor

from fpd_mmpose.config import SPLITS
from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.joint_names import (
    JointMap,
    JointSet,
    find_contradiction,
    is_same,
    match_names,
)
from fpd_mmpose.teachers.output_format import Output, mapped


class JointSelection:
    """Selects the heatmaps of the student's joints from those of the teacher.

    A joint map of None stands for the same joints in the same order.
    """

    def __init__(self, joint_map: JointMap | None) -> None:
        self.joint_map = joint_map
        self._indices = [joint or 0 for joint in joint_map or ()]
        self._present = [float(joint is not None) for joint in joint_map or ()]
        self._tensors: tuple[Tensor, Tensor] | None = None

    def select(self, output: Output) -> Output:
        """Selects the student's joints; those that the teacher lacks become zero."""
        return output if self.joint_map is None else mapped(self._select, output)

    def _select(self, values: Tensor) -> Tensor:
        indices, present = self._on(values.device)
        # Exact zeros, so that a weight of 0 meets no NaN.
        return values[:, indices] * present.view(-1, *[1] * (values.ndim - 2))

    def present(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""
        if all(self._present):
            return None
        return self._on(device)[1]

    def indices(self, count: int) -> list[int]:
        """Returns the index of each joint's heatmap among ``count``; 0 for none."""
        return list(range(count)) if self.joint_map is None else self._indices

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if self._tensors is None or self._tensors[0].device != device:
            # Ordinary tensors, although the first call comes in inference mode.
            with torch.inference_mode(False):
                self._tensors = (
                    torch.tensor(self._indices, device=device),
                    torch.tensor(self._present, device=device),
                )
        return self._tensors


def joints_of(config: Mapping[str, Any]) -> JointSet | None:
    """Lists the joints of a config in the order of the heatmaps, from its metainfo.

    The config may be that of a run or of a model; None if it names no dataset.
    """
    metainfo = metainfo_of(config)
    return _as_joint_set(metainfo) if metainfo else None


def metainfo_of(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Reads the metainfo of a config; see :func:`joints_of`."""
    own = (config.get('model') or {}).get('metainfo')
    loaders = [config.get(f'{split}_dataloader') or {} for split in SPLITS]
    datasets = [_metainfo(loader.get('dataset')) for loader in loaders]
    found = next(filter(None, (own, *datasets)), None)
    return found and parse_pose_metainfo(dict(found))


def joints_of_student(
    student: BasePoseEstimator, field: str, value: str
) -> JointSet | None:
    """Lists the student's joints, from its metainfo or from :func:`config_of_run`."""
    if student.metainfo:  # MMPose has parsed it
        return _as_joint_set(student.metainfo)
    run = config_of_run(field, value)
    return None if run is None else joints_of(run)


def config_of_run(field: str, value: str) -> Config | None:
    """Returns the config of the run that builds the student; None outside of a run.

    The run is recognized by the value of a field of its ``model.teacher``. mmengine's
    Runner puts its config into the message hub before it initializes the model.
    """
    text = MessageHub.get_current_instance().runtime_info.get('cfg')
    if not text:
        return None
    config = Config.fromstring(text, '.py')
    teacher = (config.get('model') or {}).get('teacher') or {}
    return config if teacher.get(field) == value else None


def resolve_joint_map(
    given: Sequence[int | None] | None,
    mine: int,
    theirs: int,
    my_joints: JointSet | None,
    their_joints: JointSet | None,
    teacher: str,
) -> JointMap | None:
    """Checks a given joint map, or makes one from the names of the joints.

    ``mine`` and ``theirs`` count the joints of the student and of the teacher. None is
    returned if all joints are the same, in the same order.
    """
    if given is not None:
        return _checked(list(given), mine, theirs)
    if my_joints is None or their_joints is None:
        if mine == theirs:
            return None
        raise UserError(
            f'teacher {teacher} has {theirs} joints and the student {mine}: set '
            f"model.teacher.joint_map to the {mine} indices of the teacher's heatmaps, "
            'with None for joints that it lacks'
        )
    if mine == theirs and is_same(my_joints, their_joints):
        return None
    for owner, joints, count in (
        ('the student', my_joints, mine),
        (f'teacher {teacher}', their_joints, theirs),
    ):
        if len(joints.names) != count:
            raise UserError(
                f'the dataset of {owner} names {len(joints.names)} joints for its '
                f'{count} heatmaps: set model.teacher.joint_map'
            )
    return _matched(my_joints, their_joints, teacher)


def as_table(
    joint_map: JointMap,
    my_names: Sequence[str] | None,
    their_names: Sequence[str] | None,
) -> str:
    """Formats a joint map, with a line for each joint of the student."""

    def label(index: int, names: Sequence[str] | None) -> str:
        return f'{index:>2} {names[index]}' if names else f'{index:>2}'

    rows = [('student', 'teacher')]
    for joint, source in enumerate(joint_map):
        theirs = 'none: not distilled' if source is None else label(source, their_names)
        rows.append((label(joint, my_names), theirs))
    width = max(len(row[0]) for row in rows)
    return '\n'.join(f'  {mine:<{width}}  {theirs}' for mine, theirs in rows)


def _as_joint_set(parsed: Mapping[str, Any]) -> JointSet:
    names = parsed['keypoint_id2name']
    return JointSet(
        [names[index] for index in sorted(names)],
        list(parsed['flip_indices']),
        parsed['dataset_name'],
    )


def _matched(mine: JointSet, theirs: JointSet, teacher: str) -> JointMap | None:
    found = match_names(mine, theirs)
    if all(index is None for index in found):
        raise UserError(
            f"the names of the student's joints ({', '.join(mine.names[:3])}, ...) do "
            f'not tell which joints of teacher {teacher} they are '
            f'({", ".join(theirs.names[:3])}, ...): set model.teacher.joint_map'
        )
    if contradiction := find_contradiction(found, mine, theirs):
        raise UserError(
            f'the joints of teacher {teacher} do not match by name: {contradiction}; '
            'set model.teacher.joint_map'
        )
    return None if found == list(range(len(theirs.names))) else found


def _metainfo(dataset: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not dataset:
        return None
    own = dataset.get('metainfo')
    own = own or getattr(DATASETS.get(dataset.get('type', '')), 'METAINFO', None)
    inner = dataset.get('dataset') or (dataset.get('datasets') or [None])[0]
    return own or _metainfo(inner)


def _checked(joint_map: JointMap, mine: int, theirs: int) -> JointMap:
    if len(joint_map) != mine:
        raise UserError(
            f'model.teacher.joint_map must have one entry for each of the {mine} '
            f'joints of the student, got {len(joint_map)}'
        )
    for index in joint_map:
        if index is not None and not (type(index) is int and 0 <= index < theirs):
            raise UserError(
                f'model.teacher.joint_map has {index!r}, which is not a heatmap of the '
                f'teacher: use 0 to {theirs - 1}, or None for a joint that it lacks'
            )
    used = [index for index in joint_map if index is not None]
    if len(set(used)) != len(used):
        raise UserError(
            f'model.teacher.joint_map uses a heatmap of the teacher twice: {joint_map}'
        )
    if not used:
        raise UserError(
            'model.teacher.joint_map has None for every joint: there is nothing to '
            'learn from the teacher'
        )
    return joint_map
