"""A teacher whose network runs beside the student."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import first_non_finite
from fpd_mmpose.teachers.base import Teacher, load_teacher_config
from fpd_mmpose.teachers.heatmaps import as_stages, resize_heatmaps, student_stages
from fpd_mmpose.teachers.input_adapter import InputAdapter
from fpd_mmpose.teachers.joints import (
    JointSelection,
    as_table,
    joints_of,
    joints_of_student,
    resolve_joint_map,
)
from fpd_mmpose.teachers.speed.fast_network import FastNetwork, parse_speed
from fpd_mmpose.weights import load_fitting, read_state_dict


class LiveTeacher(Teacher):
    """A frozen heatmap estimator; :class:`FPDDistiller` describes its arguments.

    :meth:`prepare` builds the network when training starts, so inference with a
    distillation config does not need the teacher's checkpoint. Autograd does not run
    through the network as it does in the reference; the student's gradients are equal.
    """

    _joints: JointSelection
    _adapter: InputAdapter
    _fast: FastNetwork

    def __init__(
        self,
        config: str | dict,
        checkpoint: str,
        joint_map: Sequence[int | None] | None = None,
        speed: str | Mapping[str, Any] = 'exact',
    ) -> None:
        self.config = config
        self.checkpoint = checkpoint
        self.joint_map = joint_map
        self.speed = parse_speed(speed)
        self.model: BasePoseEstimator | None = None

    def __repr__(self) -> str:
        """Names the config and the weights."""
        return f'LiveTeacher({self._name}, checkpoint={self.checkpoint!r})'

    @property
    def _name(self) -> str:
        return 'given as a dict' if isinstance(self.config, dict) else self.config

    def prepare(self, student: BasePoseEstimator) -> None:
        """Builds and loads the network, and checks that it suits the student."""
        if self.model is not None:
            return
        config, model = self.build()
        adapter = InputAdapter(student.data_preprocessor, model.data_preprocessor)
        mine, theirs = self._check_fit(student, model, adapter)
        my_joints = joints_of_student(student, 'checkpoint', self.checkpoint)
        their_joints = joints_of(config)
        joint_map = resolve_joint_map(
            self.joint_map, mine, theirs, my_joints, their_joints, self._name
        )
        self._joints = JointSelection(joint_map)
        self._adapter = adapter
        self._fast = FastNetwork(model, self._name, self.speed)
        self.model = model
        print_log(
            f'{self!r}: {sum(p.numel() for p in model.parameters()):,} parameters, '
            'frozen',
            logger='current',
        )
        if joint_map is not None:
            names = [
                known.names if known and len(known.names) == count else None
                for known, count in ((my_joints, mine), (their_joints, theirs))
            ]
            table = as_table(joint_map, *names)
            print_log(f'joints of the teacher:\n{table}', logger='current')

    def build(self) -> tuple[Config, BasePoseEstimator]:
        """Reads the config and builds the network in eval mode, for any student."""
        config = load_teacher_config(self.config)
        model = MODELS.build(config.model)
        if not getattr(model, 'with_head', False):
            raise UserError(f'teacher {self._name} has no head that gives heatmaps')
        try:
            state_dict = read_state_dict(self.checkpoint)
        except UserError as error:
            raise UserError(f'model.teacher.checkpoint: {error}') from error
        if name := first_non_finite(state_dict):
            raise UserError(
                f'model.teacher.checkpoint: "{self.checkpoint}" has NaN or infinite '
                f'weights (first {name}): a student cannot learn from them'
            )
        load_fitting(
            model,
            state_dict,
            f'model.teacher.checkpoint: "{self.checkpoint}"',
            f'config {self._name}',
        )
        model.requires_grad_(False)
        model.train(False)
        return config, model

    def _check_fit(
        self,
        student: BasePoseEstimator,
        model: BasePoseEstimator,
        adapter: InputAdapter,
    ) -> tuple[int, int]:
        """Returns the number of joints of the student and of the teacher."""
        stages = student_stages(student)
        width, height = student.head.decoder.input_size
        image = torch.zeros(1, 3, height, width)
        try:
            with torch.no_grad():
                output = model(adapter(image), None)
        except Exception as error:
            raise UserError(
                f"teacher {self._name} cannot take the student's input of "
                f'{width} x {height} pixels: {error}'
            ) from error
        target = as_stages(output, f'teacher {self._name}')[-1]
        theirs = target.shape[-2:]
        for stage in stages:
            mine = stage.shape[-2:]
            if mine[0] * theirs[1] != mine[1] * theirs[0]:
                raise UserError(
                    f'the heatmaps of teacher {self._name} are {theirs[1]} x '
                    f"{theirs[0]} and the student's {mine[1]} x {mine[0]} for the same "
                    'input: their aspect ratios must be equal'
                )
        return stages[-1].shape[1], target.shape[1]

    def start(self, inputs: Tensor, data_samples: SampleList = ()) -> Tensor:
        """Starts the network on a batch, on CUDA possibly in a stream of its own."""
        if self._adapter.scale.device != inputs.device:
            self._adapter.to(inputs.device)
        with torch.inference_mode():
            return self._fast(self._adapter(inputs))

    def finish(self, started: Tensor, size: Sequence[int]) -> Tensor:
        """Waits for the network, and brings its heatmaps to the student's form."""
        with torch.inference_mode():
            heatmaps = self._joints.select(self._fast.join(started))
            heatmaps = resize_heatmaps(heatmaps, size)
        # Autograd cannot keep tensors of inference mode for the student's backward.
        return heatmaps.clone()

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""
        return self._joints.present(device)

    def network_to_validate(
        self, student: BasePoseEstimator
    ) -> BasePoseEstimator | None:
        """Returns the network, if a joint map neither picks nor reorders its joints."""
        self.prepare(student)
        return self.model if self._joints.joint_map is None else None
