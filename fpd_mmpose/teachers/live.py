"""The network that a student learns from."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import first_non_finite
from fpd_mmpose.teachers.heatmaps import as_stages, resize_heatmaps, student_stages
from fpd_mmpose.teachers.input_adapter import InputAdapter
from fpd_mmpose.teachers.joints import (
    JointMap,
    as_table,
    joint_names,
    names_of_run,
    resolve_joint_map,
)
from fpd_mmpose.teachers.speed.fast_network import FastTeacher, parse_speed
from fpd_mmpose.weights import load_fitting, read_state_dict


class Teacher:
    """A frozen heatmap estimator, kept outside the student's module tree.

    Not being a module, it is no part of the student's parameters, state dict, EMA
    copy or DDP buckets, and ``train()`` of the student cannot reach it. Its network
    is built by :meth:`prepare` when training starts: a distillation config without
    the teacher's file serves for inference.

    The released code keeps the teacher in eval mode but lets autograd run through
    it; student gradients are the same without.

    Args:
        config (str | dict): Config of any heatmap estimator of MMPose, see
            :func:`fpd_mmpose.config.load_config`.
        checkpoint (str): Path or URL of its weights, a file of the released FPD
            code included.
        joint_map (Sequence[int | None], optional): For each joint of the student,
            the index of the teacher's heatmap that shows it; None for a joint that
            the teacher lacks, which then has no distillation term. Without a map,
            joints are matched by their names where MMPose's metainfo of both data
            sets tells them, and else by their order, if there are as many. Defaults
            to ``None``.
        speed (str | dict): How the network is run: ``'exact'``, as PyTorch runs it in
            float32; ``'auto'``, the fastest way on this device whose heatmaps are
            nearly the same, found on the first batch; ``'max'``, that and compiled; or
            the arguments of :class:`SpeedPlan`. See :class:`FastTeacher`. Defaults to
            ``'exact'``, which keeps the reference's digits.

    Raises:
        UserError: If ``speed`` is none of these. One line.
    """

    def __init__(
        self,
        config: str | dict,
        checkpoint: str,
        joint_map: Sequence[int | None] | None = None,
        speed: str | Mapping[str, Any] = 'exact',
    ):
        self.speed = parse_speed(speed)
        self.config = config
        self.checkpoint = checkpoint
        self.joint_map = None if joint_map is None else list(joint_map)
        self.model: BasePoseEstimator | None = None
        self._joints: JointMap | None = None
        self._selection: Tensor | None = None
        self._has_joint: Tensor | None = None
        self._adapter: InputAdapter | None = None
        self._fast: FastTeacher | None = None

    def __deepcopy__(self, memo: dict) -> 'Teacher':
        # EMA copies the student; a frozen network need not be held twice.
        return self

    def __repr__(self) -> str:
        """Names the config and the weights."""
        return f'Teacher({self._name}, checkpoint={self.checkpoint!r})'

    @property
    def _name(self) -> str:
        return 'given as a dict' if isinstance(self.config, dict) else self.config

    def prepare(self, student: BasePoseEstimator) -> None:
        """Builds and loads the network, and checks that it fits the student.

        Args:
            student (BasePoseEstimator): The network to be trained.

        Raises:
            UserError: If the config or the weights cannot be read, do not belong
                together, or joints or heatmaps cannot be matched with the
                student's. One line.
        """
        if self.model is not None:
            return
        config, model = self.build()
        adapter = InputAdapter(student.data_preprocessor, model.data_preprocessor)
        mine, theirs = self._check_fit(student, model, adapter)
        names = (
            joint_names({'model': {'metainfo': student.metainfo}})
            if student.metainfo
            else names_of_run(self.checkpoint),
            joint_names(config),
        )
        self._joints = resolve_joint_map(
            self.joint_map, mine, theirs, *names, self._name
        )
        self.model, self._adapter = model, adapter
        self._fast = FastTeacher(model, self._name, self.speed)
        print_log(
            f'{self!r}: {sum(p.numel() for p in model.parameters()):,} parameters, '
            'frozen',
            logger='current',
        )
        if self._joints is not None:
            names = [
                known if known and len(known) == count else None
                for known, count in zip(names, (mine, theirs), strict=True)
            ]
            table = as_table(self._joints, *names)
            print_log(f'joints of the teacher:\n{table}', logger='current')

    def build(self) -> tuple[Config, BasePoseEstimator]:
        """Reads the config and makes the network, whichever the student.

        Returns:
            tuple[Config, BasePoseEstimator]: The network in eval mode.

        Raises:
            UserError: If one of them cannot be read, or they do not belong together.
        """
        config = self._load_config()
        return config, self._build(config)

    def _load_config(self) -> Config:
        try:
            return load_config(self.config)
        except UserError as error:
            raise UserError(f'model.teacher.config: {error}') from error

    def _build(self, config: Config) -> BasePoseEstimator:
        model = MODELS.build(config.model)
        if not getattr(model, 'with_head', False):
            raise UserError(f'teacher {self._name} has no head that gives heatmaps')
        try:
            state_dict = read_state_dict(self.checkpoint)
        except UserError as error:
            raise UserError(f'model.teacher.checkpoint: {error}') from error
        if name := first_non_finite(state_dict):
            raise UserError(
                f'model.teacher.checkpoint: "{self.checkpoint}" holds NaN or infinite '
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
        return model

    def _check_fit(
        self,
        student: BasePoseEstimator,
        model: BasePoseEstimator,
        adapter: InputAdapter,
    ) -> tuple[int, int]:
        mine = student_stages(student)
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
        for stage in mine:
            self._check_sizes(stage.shape[-2:], target.shape[-2:])
        return mine[-1].shape[1], target.shape[1]

    def _check_sizes(self, mine: Sequence[int], theirs: Sequence[int]) -> None:
        if mine[0] * theirs[1] != mine[1] * theirs[0]:
            raise UserError(
                f'heatmaps of teacher {self._name} are {theirs[1]} x {theirs[0]} and '
                f"the student's {mine[1]} x {mine[0]} for the same input: another "
                'aspect ratio cannot be matched'
            )

    def start(self, inputs: Tensor, data_samples: SampleList | None = None) -> Tensor:
        """Starts the network on a batch of the student's inputs.

        On CUDA it may run beside what follows, until :meth:`finish`.

        Args:
            inputs (Tensor): Images as the student gets them, normalised,
                (N, 3, H, W).
            data_samples (list[PoseDataSample], optional): Not used; a
                :class:`StoredTeacher` goes by them.

        Returns:
            Tensor: For :meth:`finish`.
        """
        if self._adapter.scale.device != inputs.device:
            self._adapter.to(inputs.device)
        with torch.inference_mode():
            return self._fast(self._adapter(inputs))

    def finish(self, started: Tensor, size: Sequence[int]) -> Tensor:
        """Brings what :meth:`start` gave to the student's joints and size.

        Args:
            started (Tensor): The teacher's own heatmaps.
            size (Sequence[int]): Height and width of the student's heatmaps.

        Returns:
            Tensor: Heatmaps of the student's joints, float32, (N, K, *size), with
            no gradient; zeros for joints that the teacher lacks.
        """
        with torch.inference_mode():
            heatmaps = self._fast.join(started)
            if self._joints is not None:
                selection, has_joint = self._select(heatmaps.device)
                # Exact zeros, so that a weight of 0 meets no NaN.
                heatmaps = heatmaps[:, selection] * has_joint[None, :, None, None]
            heatmaps = resize_heatmaps(heatmaps, size)
        # Autograd cannot keep tensors of inference mode for the student's backward.
        return heatmaps.clone()

    def heatmaps(
        self,
        inputs: Tensor,
        size: Sequence[int],
        data_samples: SampleList | None = None,
    ) -> Tensor:
        """Runs the network on a batch: :meth:`start`, and :meth:`finish` at once.

        Args:
            inputs (Tensor): See :meth:`start`.
            size (Sequence[int]): See :meth:`finish`.
            data_samples (list[PoseDataSample], optional): See :meth:`start`.

        Returns:
            Tensor: See :meth:`finish`.
        """
        return self.finish(self.start(inputs, data_samples), size)

    def has_same_joints(self, student: BasePoseEstimator) -> bool:
        """Tells whether its heatmaps are those of the student's joints, in order.

        Args:
            student (BasePoseEstimator): The network to be trained.

        Returns:
            bool: False where a map picks or leaves out joints.

        Raises:
            UserError: See :meth:`prepare`.
        """
        self.prepare(student)
        return self._joints is None

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Tells which of the student's joints the teacher has.

        Args:
            device (torch.device): Where the answer is wanted.

        Returns:
            Tensor | None: 1 or 0 for each joint, (K,); None if it has all of them.
        """
        if self._joints is None or None not in self._joints:
            return None
        return self._select(device)[1]

    def _select(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if self._selection is None or self._selection.device != device:
            indices = [joint or 0 for joint in self._joints]
            present = [float(joint is not None) for joint in self._joints]
            # Normal tensors, although the first call comes in inference mode.
            with torch.inference_mode(False):
                self._selection = torch.tensor(indices, device=device)
                self._has_joint = torch.tensor(present, device=device)
        return self._selection, self._has_joint
