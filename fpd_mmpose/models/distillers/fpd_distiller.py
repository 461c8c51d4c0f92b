"""A pose estimator that learns from a teacher in training."""

from typing import Any

import torch
from mmpose.codecs import SimCCLabel
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import MultilevelPixelData, PoseDataSample
from mmpose.utils.typing import ConfigType, SampleList
from torch import Tensor

from fpd_mmpose.device_accuracy import accuracy_on_device
from fpd_mmpose.errors import UserError
from fpd_mmpose.models.losses import SimCCDistillLoss
from fpd_mmpose.teachers.base import Teacher
from fpd_mmpose.teachers.distill_loss import DistillLoss
from fpd_mmpose.teachers.factory import build_teacher
from fpd_mmpose.teachers.output_format import as_stages, pose_head
from fpd_mmpose.teachers.recording import copy_to, recorded_forward, select_rows
from fpd_mmpose.teachers.speed.compiled import Compiled


@MODELS.register_module()
class FPDDistiller(TopdownPoseEstimator):
    r"""The student of Fast Pose Distillation (Zhang et al., CVPR 2019).

    It *is* the student: its ``backbone``, ``head``, and ``test_cfg`` are those of the
    student's config, and so are the keys of its checkpoints. Training adds a frozen
    teacher, whose final output is a second target for every stage of the student:

    .. math:: L = (1 - \alpha) L_{pose} + \alpha L_{kd}

    Unlabeled people in a batch pass through the network with the others and have a
    distillation term of their own; see :class:`HeatmapDistillLoss`.

    Args:
        teacher: The teacher, whose files are read when training starts. A live teacher
            needs the first two fields, a stored one needs ``cache``:

            - ``config``: Config of any top-down estimator of MMPose with heatmaps or
              SimCC, as a path, a name, or a dict; see
              :func:`fpd_mmpose.config.load_config`.
            - ``checkpoint``: Path or URL of its weights, which may be a file of the
              reference.
            - ``joint_map``: For each joint of the student, the index of the teacher's
              heatmap, or None for a joint that the teacher lacks, which then has no
              distillation term. By default joints are matched by name if MMPose's
              metainfo of both datasets is known, and else by order.
            - ``speed``: How a live teacher runs. ``'exact'``, the default, is float32
              as PyTorch runs it, as in the reference; ``'auto'`` finds the fastest way
              on this device that gives nearly the same heatmaps; ``'max'`` compiles it
              too; a dict holds the fields of
              :class:`~fpd_mmpose.teachers.speed.fast_network.SpeedPlan`.
            - ``output``: What the teacher's heatmaps mean, if its codec is not one of
              MMPose: a dict with ``grid``, one of ``'stride'`` (pixel i of n stands for
              input pixel i * W / n), ``'align_corners'`` (i * (W - 1) / (n - 1)), and
              ``'center'`` ((i + 0.5) * W / n), ``scale``, the highest value of a
              target, and optionally ``sigma``, a peak's standard deviation in pixels of
              the heatmap.
            - ``cache``: A file of the teacher's heatmaps, made by
              :func:`fpd_mmpose.cache_teacher`, which replaces the network. It must
              belong to ``config`` and ``checkpoint`` if these are given; a checkpoint
              that is missing is not compared.
        distill_loss: Config of the distillation loss, which holds alpha. Its type
            defaults to :class:`HeatmapDistillLoss`, or for a SimCC head to
            :class:`SimCCDistillLoss`, and alpha to 0.5.
        output: What the student's heatmaps mean, if its codec is not one of MMPose: a
            dict as ``teacher.output``.
        channels_last: Whether the student's backbone trains in this memory format. The
            weights and their names stay the same.
        compile: Whether the student's backbone is compiled for training.
        **kwargs: Arguments of ``TopdownPoseEstimator``.

    Raises:
        UserError: If a field of ``teacher`` is missing or unknown, or a value is out of
            range.

    Example:
        A network with one hourglass learns from one with two, without any labels.

        >>> import tempfile
        >>> import torch
        >>> from mmengine.logging import MMLogger
        >>> from mmengine.registry import init_default_scope
        >>> from mmpose.registry import MODELS
        >>> from mmpose.structures import PoseDataSample
        >>> import fpd_mmpose
        >>> def network(stacks):
        ...     return dict(
        ...         data_preprocessor=dict(type='PoseDataPreprocessor'),
        ...         backbone=dict(
        ...             type='StackedHourglass', num_stacks=stacks, num_features=8
        ...         ),
        ...         head=dict(
        ...             type='CPMHead',
        ...             in_channels=16,
        ...             out_channels=16,
        ...             num_stages=stacks,
        ...             deconv_out_channels=None,
        ...             final_layer=None,
        ...             loss=dict(type='KeypointMSELoss', use_target_weight=True),
        ...             decoder=dict(
        ...                 type='FPDHeatmap',
        ...                 input_size=(64, 64),
        ...                 heatmap_size=(16, 16),
        ...             ),
        ...         ),
        ...     )
        >>> init_default_scope('mmpose')
        >>> logger = MMLogger.get_instance('example', log_level='ERROR')
        >>> teacher = dict(type='TopdownPoseEstimator', **network(stacks=2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f'{folder}/teacher.pth'
        ...     torch.save(MODELS.build(teacher).state_dict(), path)
        ...     student = MODELS.build(
        ...         dict(
        ...             type='FPDDistiller',
        ...             teacher=dict(config=teacher, checkpoint=path),
        ...             distill_loss=dict(type='HeatmapDistillLoss', alpha=1),
        ...             **network(stacks=1),
        ...         )
        ...     )
        ...     images = torch.randn(2, 3, 64, 64)
        ...     losses = student.loss(images, [PoseDataSample(), PoseDataSample()])
        >>> sorted(losses), losses['loss_kd'].requires_grad
        (['kd_unlabeled', 'loss_kd'], True)
    """

    def __init__(
        self,
        teacher: ConfigType,
        distill_loss: ConfigType | None = None,
        output: ConfigType | None = None,
        channels_last: bool = False,
        compile: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.teacher: Teacher = build_teacher(teacher)
        self.output = output
        self.distill_loss = self._build_loss(distill_loss or {})
        self.channels_last = channels_last
        self._backbone_in_training = (
            Compiled(_run_backbone, 'the student') if compile else _run_backbone
        )
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)

    def _build_loss(self, settings: ConfigType) -> DistillLoss:
        """Builds the loss of the head's kind, with what the head's own loss has."""
        head = pose_head(self.head)
        own = getattr(head, 'loss_module', None)
        if isinstance(own, torch.nn.ModuleList):
            own = own[0]
        simcc = isinstance(getattr(head, 'decoder', None), SimCCLabel)
        kind = 'SimCCDistillLoss' if simcc else 'HeatmapDistillLoss'
        wrong = 'HeatmapDistillLoss' if simcc else 'SimCCDistillLoss'
        if settings.get('type') == wrong:
            raise UserError(
                f"distill_loss.type is {wrong}, but the student's head returns "
                f'{"SimCC vectors" if simcc else "heatmaps"}: use {kind}'
            )
        # Alpha then balances terms of equal weight.
        field = 'beta' if simcc else 'loss_weight'
        taken = {field: getattr(own, field)} if hasattr(own, field) else {}
        return MODELS.build({'type': kind, **taken, **settings})

    def init_weights(self) -> None:
        """Prepares the teacher and initializes the student, before the first batch."""
        self.teacher.prepare(self)
        super().init_weights()

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """Computes the distillation loss of a batch.

        Args:
            inputs: Normalized images, (N, 3, H, W).
            data_samples: N people. Labeled ones have ground-truth heatmaps and may have
                ``keypoint_weights``, which weight both terms. Unlabeled ones come from
                a dataset without keypoints (:class:`UnlabeledPoseDataset`).

        Returns:
            The head's losses of the labeled people times (1 - alpha), and ``loss_kd``
            of all people, which mmengine adds up. For the log there are also the
            unscaled terms ``pose`` and ``kd`` of the labeled people, ``kd_unlabeled``
            of the others, and the head's other values (``acc_pose``). Terms of people
            that the batch lacks are left out, and so are ``kd`` and ``kd_unlabeled``
            once a schedule has brought alpha to 0: the teacher then does not run.

        Raises:
            UserError: If the teacher cannot be used, or if a sample has keypoints but
                no ground-truth heatmaps while alpha is, or becomes, less than 1.
        """
        self.teacher.prepare(self)
        labeled, unlabeled = self._split(data_samples)
        alpha = self.distill_loss.present_alpha()
        # The teacher can rest, unless people without labels leave no other loss.
        rests = alpha == 0 < self.distill_loss.alpha and len(labeled) > 0
        started = None if rests else self.teacher.start(inputs, data_samples)
        feats = self._training_feats(inputs)
        head = pose_head(self.head)
        reported = {}
        if labeled:
            with (
                recorded_forward(head, _rows(labeled, inputs)) as outputs,
                accuracy_on_device(head),
            ):
                reported = self.head.loss(
                    feats,
                    [data_samples[index] for index in labeled],
                    train_cfg=self.train_cfg,
                )
            output = outputs[-1]
        else:
            output = head.forward(feats)
        stages = as_stages(output, 'the student')
        taught = None if rests else self.teacher.finish(started)
        has_joint = self.teacher.has_joint(inputs.device)

        losses = {}
        for name, value in reported.items():
            # A teacher says nothing of visibility.
            shared = 'loss' in name and name != 'loss_vis'
            losses[name] = (1 - alpha) * value if shared else value
        pose = [value.detach() for name, value in reported.items() if 'loss' in name]
        if pose:
            losses['pose'] = sum(pose)
        terms = []
        for name, group, factor in (
            ('kd', labeled, 1.0),
            ('kd_unlabeled', unlabeled, self.distill_loss.unlabeled_weight),
        ):
            if not group or taught is None:
                continue
            rows = _rows(group, inputs)
            target = taught.rows(rows)
            kd = self.distill_loss(
                select_rows(stages, rows),
                target.values,
                _keypoint_weights(data_samples, group) if group is labeled else None,
                has_joint,
                target.confidence() if self.distill_loss.uses_confidence else None,
            )
            terms.append(factor * kd)
            losses[name] = kd.detach()
        losses['loss_kd'] = alpha * sum(terms) if terms else inputs.new_zeros(())
        if self.distill_loss.alpha_schedule != 'constant':
            losses['alpha'] = torch.full_like(losses['loss_kd'].detach(), alpha)
        return losses

    def _training_feats(self, inputs: Tensor) -> Any:
        """Does what ``extract_feat`` does, in the formats chosen for training."""
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        feats = self._backbone_in_training(self.backbone, inputs)
        return self.neck(feats) if self.with_neck else feats

    def _split(self, data_samples: SampleList) -> tuple[list[int], list[int]]:
        """Returns the indices of the labeled and of the unlabeled people."""
        labeled, unlabeled = [], []
        for index, sample in enumerate(data_samples):
            if self._has_target(sample):
                labeled.append(index)
            elif self.distill_loss.needs_labels and 'keypoints' in sample.get(
                'gt_instances', ()
            ):
                raise UserError(
                    'a training sample has keypoints, but not the targets of the '
                    f"student's head, and alpha is {self.distill_loss.alpha}, "
                    f'{self.distill_loss.alpha_schedule}: add GenerateTarget with the '
                    "student's codec to the pipeline, or set distill_loss.alpha=1 and "
                    "alpha_schedule='constant'"
                )
            else:
                unlabeled.append(index)
        return labeled, unlabeled

    def _has_target(self, sample: PoseDataSample) -> bool:
        if isinstance(self.distill_loss, SimCCDistillLoss):
            return 'keypoint_x_labels' in sample.get('gt_instance_labels', ())
        fields = sample.get('gt_fields', ())
        return 'heatmaps' in (
            fields[0] if isinstance(fields, MultilevelPixelData) else fields
        )


def _run_backbone(backbone: torch.nn.Module, inputs: Tensor) -> Any:
    return backbone(inputs)


def _rows(indices: list[int], inputs: Tensor) -> slice | Tensor:
    """Selects samples of a batch, if possible by a slice, which copies nothing."""
    if indices == list(range(indices[0], indices[-1] + 1)):
        return slice(indices[0], indices[-1] + 1)
    return copy_to(torch.tensor(indices), inputs.device)


def _keypoint_weights(data_samples: SampleList, group: list[int]) -> Tensor | None:
    """Returns the weights of the joints, (N, K), of the last level if several."""
    found = [data_samples[index].get('gt_instance_labels', {}) for index in group]
    if not all('keypoint_weights' in one for one in found):
        return None
    weights = [one['keypoint_weights'] for one in found]
    return torch.cat([one[-1] if one.ndim == 3 else one for one in weights])
