"""A pose estimator that learns from a teacher while it trains."""

from typing import Any

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, SampleList
from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.models.device_accuracy import accuracy_on_device
from fpd_mmpose.teachers.heatmaps import as_stages, copy_to, recorded_forward
from fpd_mmpose.teachers.live import Teacher
from fpd_mmpose.teachers.speed.compiled import Compiled
from fpd_mmpose.teachers.stored import StoredTeacher


@MODELS.register_module()
class FPDDistiller(TopdownPoseEstimator):
    r"""The student of Fast Pose Distillation (Zhang et al., CVPR 2019).

    It *is* the student: ``backbone``, ``head`` and ``test_cfg`` are those of the
    student's config, and so are the keys of its checkpoints. In training it adds a
    frozen teacher, whose last heatmaps are a second target for every stage of the
    student:

    .. math:: L = (1 - \alpha) L_{pose} + \alpha L_{kd}

    People without labels in a batch take part in the network's pass and have a
    distillation term of their own, see :class:`HeatmapDistillLoss`.

    Args:
        teacher (dict): Arguments of :class:`Teacher`: ``config``, ``checkpoint``
            and optionally ``joint_map``; or of :class:`StoredTeacher`: ``cache``.
            Nothing is read before training starts.
        distill_loss (dict): Config of the distillation loss, which holds alpha.
            Defaults to :class:`HeatmapDistillLoss` with alpha 0.5.
        channels_last (bool): Whether the student's backbone trains in this memory
            format. Its weights and their names stay. Defaults to False.
        compile (bool): Whether the student's backbone is compiled for training.
            Defaults to False.
        **kwargs: Arguments of :class:`TopdownPoseEstimator`.

    Raises:
        UserError: If ``teacher`` lacks its config or checkpoint, or alpha is out of
            range.
    """

    def __init__(
        self,
        teacher: ConfigType,
        distill_loss: ConfigType = dict(type='HeatmapDistillLoss'),  # noqa: B006
        channels_last: bool = False,
        compile: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        needed = () if teacher.get('cache') else ('config', 'checkpoint')
        if missing := [key for key in needed if not teacher.get(key)]:
            raise UserError(f'model.teacher needs {" and ".join(missing)}')
        self.teacher = StoredTeacher(**teacher) if not needed else Teacher(**teacher)
        self.distill_loss = MODELS.build({**self._term_weight(), **distill_loss})
        self.channels_last = channels_last
        self._backbone_in_training = (
            Compiled(_run_backbone, 'the student') if compile else _run_backbone
        )
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)

    def _term_weight(self) -> dict:
        """The weight of the head's loss, so that alpha balances equal terms."""
        stages = getattr(self.head, 'loss_module', None)
        first = stages[0] if isinstance(stages, torch.nn.ModuleList) else stages
        weight = getattr(first, 'loss_weight', None)
        return {} if weight is None else {'loss_weight': weight}

    def init_weights(self) -> None:
        """Prepares the teacher, then initialises the student.

        The Runner calls it when training starts, before the first batch.

        Raises:
            UserError: If the teacher cannot be used, see :meth:`Teacher.prepare`.
        """
        self.teacher.prepare(self)
        super().init_weights()

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Computes the distillation loss of a batch.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[PoseDataSample]): Labelled people, with ground-truth
                heatmaps and optionally ``keypoint_weights``, which weigh both terms;
                and unlabelled ones, whose data set gives no keypoints
                (:class:`UnlabeledPoseDataset`).

        Returns:
            dict: The losses of the head over the labelled people times (1 - alpha),
            and ``loss_kd`` over all, which mmengine adds up; for the log the unscaled
            terms ``pose`` and ``kd`` of the labelled and ``kd_unlabeled`` of the other
            people, where there are such, and what else the head reports
            (``acc_pose``).

        Raises:
            UserError: If a sample has keypoints but no ground-truth heatmaps, and
                alpha is below 1.
        """
        self.teacher.prepare(self)
        labelled, unlabelled = self._split(data_samples)
        started = self.teacher.start(inputs, data_samples)
        feats = self._training_feats(inputs)
        reported = {}
        if labelled:
            with (
                recorded_forward(self.head, _rows(labelled, inputs)) as outputs,
                accuracy_on_device(self.head),
            ):
                reported = self.head.loss(
                    feats,
                    [data_samples[index] for index in labelled],
                    train_cfg=self.train_cfg,
                )
            output = outputs[-1]
        else:
            output = self.head.forward(feats)
        stages = as_stages(output, 'the student')
        target = self.teacher.finish(started, stages[-1].shape[-2:])
        has_joint = self.teacher.has_joint(target.device)

        alpha = self.distill_loss.alpha
        losses = {}
        for name, value in reported.items():
            losses[name] = (1 - alpha) * value if 'loss' in name else value
        pose = [value.detach() for name, value in reported.items() if 'loss' in name]
        if pose:
            losses['pose'] = sum(pose)
        terms = []
        for name, group, factor in (
            ('kd', labelled, 1.0),
            ('kd_unlabeled', unlabelled, self.distill_loss.unlabeled_weight),
        ):
            if not group:
                continue
            rows = _rows(group, inputs)
            weights = None
            if group is labelled:
                weights = _keypoint_weights([data_samples[index] for index in group])
            kd = self.distill_loss(
                [stage[rows] for stage in stages], target[rows], weights, has_joint
            )
            terms.append(factor * kd)
            losses[name] = kd.detach()
        losses['loss_kd'] = alpha * sum(terms)
        return losses

    def _training_feats(self, inputs: Tensor) -> Any:
        """``extract_feat`` of the stock class, in the formats chosen for training."""
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        feats = self._backbone_in_training(self.backbone, inputs)
        return self.neck(feats) if self.with_neck else feats

    def _split(self, data_samples: SampleList) -> tuple[list[int], list[int]]:
        """Tells people with ground truth from those without."""
        labelled, unlabelled = [], []
        for index, sample in enumerate(data_samples):
            if 'gt_fields' in sample and 'heatmaps' in sample.gt_fields:
                labelled.append(index)
            elif self.distill_loss.alpha < 1 and 'keypoints' in sample.get(
                'gt_instances', ()
            ):
                raise UserError(
                    'a training sample has keypoints but no ground-truth heatmaps, and '
                    f'alpha is {self.distill_loss.alpha}: add GenerateTarget to the '
                    'pipeline, or set distill_loss.alpha=1'
                )
            else:
                unlabelled.append(index)
        return labelled, unlabelled


def _run_backbone(backbone: torch.nn.Module, inputs: Tensor) -> Any:
    return backbone(inputs)


def _rows(indices: list[int], inputs: Tensor) -> slice | Tensor:
    """The samples of a batch; a slice, which copies nothing, where they are one."""
    if indices == list(range(indices[0], indices[-1] + 1)):
        return slice(indices[0], indices[-1] + 1)
    return copy_to(torch.tensor(indices), inputs.device)


def _keypoint_weights(data_samples: SampleList) -> Tensor | None:
    if not all(
        'gt_instance_labels' in sample
        and 'keypoint_weights' in sample.gt_instance_labels
        for sample in data_samples
    ):
        return None
    return torch.cat(
        [sample.gt_instance_labels.keypoint_weights for sample in data_samples]
    )
