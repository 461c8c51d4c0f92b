"""A teacher whose network runs beside the student."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor, nn

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import non_finite
from fpd_mmpose.teachers.base import Teacher, describe_student, load_teacher_config
from fpd_mmpose.teachers.joints import (
    JointSelection,
    as_table,
    joints_of,
    joints_of_student,
    resolve_joint_map,
)
from fpd_mmpose.teachers.output_conversion import Conversion, Taught
from fpd_mmpose.teachers.output_format import (
    Output,
    OutputFormat,
    describe_output,
    pose_head,
    run_in_eval_mode,
)
from fpd_mmpose.teachers.speed.fast_network import FastNetwork, parse_speed
from fpd_mmpose.weights import load_fitting, read_state_dict


class InputAdapter(nn.Module):
    """Converts images (N, 3, H, W) normalized for the student to those for the teacher.

    Each network has its own mean, standard deviation, and channel order, and ``size``,
    a width and height, if the teacher's input differs in size. If all agree, the input
    is returned unchanged.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        student: PoseDataPreprocessor,
        teacher: PoseDataPreprocessor,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        mean, std, swapped = normalization_of(student)
        teacher_mean, teacher_std, teacher_swapped = normalization_of(teacher)
        self.swap = swapped != teacher_swapped
        if self.swap:
            mean, std = mean.flip(0), std.flip(0)
        self.same_scale = torch.equal(mean, teacher_mean) and torch.equal(
            std, teacher_std
        )
        self.register_buffer('scale', std / teacher_std)
        self.register_buffer('shift', (mean - teacher_mean) / teacher_std)

    def forward(self, inputs: Tensor) -> Tensor:
        """Converts a batch."""
        if self.size is not None:
            inputs = _resized(inputs, self.size)
        if self.swap:
            inputs = inputs.flip(1)
        if self.same_scale:
            return inputs
        return inputs * self.scale + self.shift


class LiveTeacher(Teacher):
    """A frozen pose estimator; :class:`FPDDistiller` describes its arguments.

    :meth:`prepare` builds the network when training starts, so inference with a
    distillation config does not need the teacher's checkpoint. Autograd does not run
    through the network as it does in the reference; the student's gradients are equal.
    """

    _joints: JointSelection
    _adapter: InputAdapter
    _conversion: Conversion
    _fast: FastNetwork

    def __init__(
        self,
        config: str | dict,
        checkpoint: str,
        joint_map: Sequence[int | None] | None = None,
        speed: str | Mapping[str, Any] = 'exact',
        output: Mapping[str, Any] | None = None,
    ) -> None:
        self.config = config
        self.checkpoint = checkpoint
        self.joint_map = joint_map
        self.speed = parse_speed(speed)
        self.output = output
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
        student_format = describe_student(student)
        input_size = student_format.x.size, student_format.y.size
        self._adapter = input_adapter(student.data_preprocessor, model, input_size)
        teacher_format = self.describe(model, self._adapter, input_size)
        mine, theirs = student_format.joints, teacher_format.joints
        my_joints = joints_of_student(student, 'checkpoint', self.checkpoint)
        their_joints = joints_of(config)
        joint_map = resolve_joint_map(
            self.joint_map, mine, theirs, my_joints, their_joints, self._name
        )
        self._joints = JointSelection(joint_map)
        self._conversion = Conversion(teacher_format, student_format)
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
        if not isinstance(model, TopdownPoseEstimator):
            raise UserError(
                f'teacher {self._name} is a {type(model).__name__}, and only top-down '
                'pose estimators can teach: use one of them'
            )
        try:
            state_dict = read_state_dict(self.checkpoint)
        except UserError as error:
            raise UserError(
                f'model.teacher.checkpoint: {error}{self._where_to_get_it()}'
            ) from error
        if bad := non_finite(state_dict):
            raise UserError(
                f'model.teacher.checkpoint: "{self.checkpoint}" has NaN or infinite '
                f'weights (first {bad[0]}): a student cannot learn from them'
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

    def _where_to_get_it(self) -> str:
        """Says where a missing file comes from."""
        if '://' in self.checkpoint or Path(self.checkpoint).expanduser().exists():
            return ''
        source = 'its config' if isinstance(self.config, dict) else self.config
        return (
            f': train it (`fpd train {source}`) and copy its best_*.pth there, '
            'set another file or a URL, or link the weights of the released code '
            '(docs/howto/released_code.md)'
        )

    def describe(
        self,
        model: BasePoseEstimator,
        adapter: InputAdapter,
        input_size: tuple[int, int],
    ) -> OutputFormat:
        """Describes the output for a student's input of a width and height."""
        width, height = input_size
        device = next(model.parameters()).device
        image = adapter.to(device)(torch.zeros(1, 3, height, width, device=device))
        owner = f'teacher {self._name}'
        try:
            output = run_in_eval_mode(model, image)
        except Exception as error:
            raise UserError(
                f"{owner} cannot take the student's input of {width} x {height} "
                f'pixels: {error}'
            ) from error
        size = (image.shape[3], image.shape[2])
        return describe_output(model, owner, size, output, self.output)

    def start(self, inputs: Tensor, data_samples: SampleList = ()) -> Output:
        """Starts the network on a batch, on CUDA possibly in a stream of its own."""
        if self._adapter.scale.device != inputs.device:
            self._adapter.to(inputs.device)
        with torch.inference_mode():
            return self._fast(self._adapter(inputs))

    def finish(self, started: Output) -> Taught:
        """Waits for the network, and brings its output to the student's form."""
        with torch.inference_mode():
            taught = self._conversion(self._joints.select(self._fast.join(started)))
        # Autograd cannot keep tensors of inference mode for the student's backward.
        return taught.clone()

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""
        return self._joints.present(device)

    def network_to_validate(
        self, student: BasePoseEstimator
    ) -> BasePoseEstimator | None:
        """Returns the network, if its joints and its input are the student's."""
        self.prepare(student)
        if self._joints.joint_map is not None or self._adapter.size is not None:
            return None
        return self.model


def input_adapter(
    student: PoseDataPreprocessor,
    teacher: BasePoseEstimator,
    input_size: tuple[int, int],
) -> InputAdapter:
    """Converts a student's input, of a width and height, to a teacher's.

    A teacher sees the size that it was trained for, if its aspect ratio is that of the
    student's input, and else the student's input as it is, with a warning.
    """
    codec = getattr(pose_head(teacher.head), 'decoder', None)
    size = getattr(codec, 'input_size', None)
    if size is not None:
        size = (int(size[0]), int(size[1]))
        if size[0] * input_size[1] != size[1] * input_size[0]:
            print_log(
                f'the teacher was trained for {size[0]} x {size[1]} pixels, and sees '
                f"the student's {input_size[0]} x {input_size[1]}, which have another "
                'aspect ratio',
                logger='current',
                level=logging.WARNING,
            )
            size = None
        elif size == input_size:
            size = None
    return InputAdapter(student, teacher.data_preprocessor, size)


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes images as a crop of another size: pixel i becomes pixel i * ratio."""
    axes = []
    for wanted, present in zip(size, images.shape[:1:-1], strict=True):
        pixels = torch.arange(wanted, device=images.device, dtype=images.dtype)
        axes.append(pixels * (present / wanted) * 2 / (present - 1) - 1)
    grid = torch.stack(torch.meshgrid(*axes, indexing='xy'), dim=-1)
    grid = grid.expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grid, padding_mode='border', align_corners=True)


def normalization_of(
    preprocessor: PoseDataPreprocessor,
) -> tuple[Tensor, Tensor, bool]:
    """Returns mean and std (3, 1, 1), and whether channels are exchanged before."""
    if getattr(preprocessor, '_enable_normalize', False):
        mean, std = preprocessor.mean.cpu(), preprocessor.std.cpu()
    else:
        mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    return mean, std, getattr(preprocessor, '_channel_conversion', False)
