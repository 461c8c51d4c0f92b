"""A pose estimator that learns from a teacher while it trains."""

from typing import Any

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, SampleList
from torch import Tensor

from .heatmaps import as_stages, recorded_forward
from .teacher import Teacher


@MODELS.register_module()
class FPDDistiller(TopdownPoseEstimator):
    r"""The student of Fast Pose Distillation (Zhang et al., CVPR 2019).

    It *is* the student: ``backbone``, ``head`` and ``test_cfg`` are those of the
    student's config, and so are the keys of its checkpoints. In training it adds a
    frozen teacher, whose last heatmaps are a second target for every stage of the
    student:

    .. math:: L = (1 - \alpha) L_{pose} + \alpha L_{kd}

    Args:
        teacher (dict): Arguments of :class:`Teacher`: ``config``, ``checkpoint``
            and optionally ``joint_map``. Nothing is read before training starts.
        distill_loss (dict): Config of the distillation loss, which holds alpha.
            Defaults to :class:`HeatmapDistillLoss` with alpha 0.5.
        **kwargs: Arguments of :class:`TopdownPoseEstimator`.

    Raises:
        ValueError: If ``teacher`` lacks its config or checkpoint, or alpha is out of
            range.
    """

    def __init__(
        self,
        teacher: ConfigType,
        distill_loss: ConfigType = dict(type='HeatmapDistillLoss'),  # noqa: B006
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if missing := [key for key in ('config', 'checkpoint') if not teacher.get(key)]:
            raise ValueError(f'model.teacher needs {" and ".join(missing)}')
        self.teacher = Teacher(**teacher)
        self.distill_loss = MODELS.build({**self._term_weight(), **distill_loss})

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
            ValueError: If the teacher cannot be used, see :meth:`Teacher.prepare`.
        """
        self.teacher.prepare(self)
        super().init_weights()

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Computes the distillation loss of a batch.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[PoseDataSample]): With ground-truth heatmaps, which
                alone alpha = 1 does without; ``keypoint_weights``, where present,
                weigh both terms.

        Returns:
            dict: The losses of the head times (1 - alpha) and ``loss_kd``, which
            mmengine adds up; for the log the unscaled terms ``pose`` and ``kd``
            and what else the head reports (``acc_pose``).

        Raises:
            ValueError: If ground truth is missing and alpha is below 1.
        """
        self.teacher.prepare(self)
        alpha = self.distill_loss.alpha
        feats = self.extract_feat(inputs)
        if _all_have(data_samples, 'gt_fields', 'heatmaps'):
            with recorded_forward(self.head) as outputs:
                reported = self.head.loss(feats, data_samples, train_cfg=self.train_cfg)
            output = outputs[-1]
        elif alpha == 1:
            output, reported = self.head.forward(feats), {}
        else:
            raise ValueError(
                f'a training sample has no ground-truth heatmaps and alpha is {alpha}: '
                'add GenerateTarget to the pipeline, or set distill_loss.alpha=1'
            )
        stages = as_stages(output, 'the student')
        target = self.teacher.heatmaps(inputs, stages[-1].shape[-2:])
        kd = self.distill_loss(stages, target, _keypoint_weights(data_samples))

        losses = {}
        for name, value in reported.items():
            losses[name] = (1 - alpha) * value if 'loss' in name else value
        losses['loss_kd'] = alpha * kd
        pose = [value.detach() for name, value in reported.items() if 'loss' in name]
        if pose:
            losses['pose'] = sum(pose)
        losses['kd'] = kd.detach()
        return losses


def _all_have(data_samples: SampleList, group: str, field: str) -> bool:
    return all(
        group in sample and field in getattr(sample, group) for sample in data_samples
    )


def _keypoint_weights(data_samples: SampleList) -> Tensor | None:
    if not _all_have(data_samples, 'gt_instance_labels', 'keypoint_weights'):
        return None
    return torch.cat(
        [sample.gt_instance_labels.keypoint_weights for sample in data_samples]
    )
