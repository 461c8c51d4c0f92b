"""The distillation loss of FPD."""

from collections.abc import Sequence

from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS
from torch import Tensor

from fpd_mmpose.teachers.distill_loss import DistillLoss


@MODELS.register_module()
class HeatmapDistillLoss(DistillLoss):
    r"""MSE between the student's heatmaps and the teacher's, summed over stages.

    :class:`FPDDistiller` adds it to the loss of the student's head as
    :math:`(1 - \alpha) L_{pose} + \alpha L_{kd}` (Zhang et al., CVPR 2019,
    section 3.3; ``function.py`` of the reference). Each stage contributes

    .. math:: L_{kd} = c \cdot \mathrm{mean}_{B,K,H,W}\, w_{bk} (S - T)^2

    with the weights of the ground truth, so that a joint without annotation has no
    term, but still counts in the mean.

    Unlabeled people have all joints of the teacher as targets, and a mean of their own,
    which is added: :math:`\alpha (L_{kd} + u L_{kd}^{unlabeled})`. They do not change
    the terms of the labeled people.

    Args:
        alpha: The teacher's share of the loss, in [0, 1]. 0 is plain training, 1 needs
            no ground truth. Defaults to 0.5, as in the reference.
        loss_weight: The factor c, positive. The reference has 0.5 on both terms.
            :class:`FPDDistiller` passes the weight of the head's loss if its config
            sets none.
        unlabeled_weight: The factor u, not negative. By default the mean over unlabeled
            people counts as much as that over labeled ones.
        unannotated_joints: Whether the teacher also teaches the joints of labeled
            people that are not annotated. The paper argues for it (section 3.3), but
            the reference does not do it (``function.py`` multiplies both terms by
            ``target_weight``).
        confidence_weight: Whether each joint is weighted by the peak of the teacher's
            heatmap as a share of a target's, clipped to [0, 1]. Not in the paper.
        confidence_threshold: Joints with a lower peak have no term; in [0, 1]. Not in
            the paper.
        alpha_schedule: ``'constant'``, as in the paper; ``'linear'``, which lowers
            alpha to 0 over the run, by epochs or steps, as DWPose does with its terms
            (Yang et al., ICCVW 2023); or ``'off_at_end'``, which sets it to 0 for the
            last tenth of the run's steps, as MMRazor's distillation of RTMDet ends
            before the run does. The log shows an alpha that changes as ``alpha``.

    Raises:
        UserError: If an argument is out of range.

    Example:
        >>> import torch
        >>> from fpd_mmpose import HeatmapDistillLoss
        >>> loss = HeatmapDistillLoss(alpha=0.5)
        >>> stages = [torch.zeros(2, 16, 64, 64), torch.ones(2, 16, 64, 64)]
        >>> loss(stages, target=torch.ones(2, 16, 64, 64))
        tensor(0.5000)
    """

    def forward(
        self,
        outputs: Sequence[Tensor],
        target: Tensor,
        target_weights: Tensor | None = None,
        has_joint: Tensor | None = None,
        confidence: Tensor | None = None,
    ) -> Tensor:
        """Computes the unscaled distillation term of some people.

        Args:
            outputs: The student's heatmaps of every stage, each (N, K, H, W).
            target: The teacher's heatmaps, (N, K, H, W).
            target_weights: The ground truth's weights of the joints, (N, K). By default
                all are 1, as for unlabeled people.
            has_joint: 1 for each joint that the teacher has, else 0, (K,). By default
                it has all.
            confidence: The teacher's confidence, (N, K). Defaults to the peaks of its
                heatmaps.

        Returns:
            The scalar :math:`L_{kd}`, without the factors alpha and u.
        """
        if confidence is None and self.uses_confidence:
            confidence = target.amax(dim=(2, 3))
        weights = self.joint_weights(confidence, target_weights, has_joint)
        if weights is not None:
            weights = weights.to(target.dtype).expand(target.shape[:2])
        error = KeypointMSELoss(use_target_weight=True, loss_weight=self.loss_weight)
        terms = [error(output, target, weights) for output in outputs]
        return sum(terms[1:], start=terms[0])
