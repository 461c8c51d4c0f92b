"""The distillation loss of FPD."""

from collections.abc import Sequence

from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS
from torch import Tensor

from fpd_mmpose.errors import UserError


@MODELS.register_module()
class HeatmapDistillLoss(KeypointMSELoss):
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
            heatmap, clipped to [0, 1]; a target's peak is 1. Not in the paper.
        confidence_threshold: Joints with a lower peak have no term; in [0, 1]. Not in
            the paper.

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

    def __init__(
        self,
        alpha: float = 0.5,
        loss_weight: float = 0.5,
        unlabeled_weight: float = 1.0,
        unannotated_joints: bool = False,
        confidence_weight: bool = False,
        confidence_threshold: float = 0.0,
    ) -> None:
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
            raise UserError(f'distill_loss.alpha must be a number, got {alpha!r}')
        if not 0 <= alpha <= 1:
            raise UserError(
                f'distill_loss.alpha must be between 0 and 1, the share of the teacher '
                f'in the loss, got {alpha}'
            )
        if not loss_weight > 0:
            raise UserError(
                f'distill_loss.loss_weight must be positive, got {loss_weight}'
            )
        if not unlabeled_weight >= 0:
            raise UserError(
                'distill_loss.unlabeled_weight must not be negative, got '
                f'{unlabeled_weight}'
            )
        if not 0 <= confidence_threshold <= 1:
            raise UserError(
                'distill_loss.confidence_threshold must be between 0 and 1, like the '
                f'peaks of heatmaps, got {confidence_threshold}'
            )
        super().__init__(use_target_weight=True, loss_weight=loss_weight)
        self.alpha = float(alpha)
        self.unlabeled_weight = float(unlabeled_weight)
        self.unannotated_joints = unannotated_joints
        self.confidence_weight = confidence_weight
        self.confidence_threshold = float(confidence_threshold)

    def forward(
        self,
        outputs: Sequence[Tensor],
        target: Tensor,
        target_weights: Tensor | None = None,
        has_joint: Tensor | None = None,
    ) -> Tensor:
        """Computes the unscaled distillation term of some people.

        Args:
            outputs: The student's heatmaps of every stage, each (N, K, H, W).
            target: The teacher's heatmaps, (N, K, H, W).
            target_weights: The ground truth's weights of the joints, (N, K). By default
                all are 1, as for unlabeled people.
            has_joint: 1 for each joint that the teacher has, else 0, (K,). By default
                it has all.

        Returns:
            The scalar :math:`L_{kd}`, without the factors alpha and u.
        """
        weights = self._joint_weights(target, target_weights, has_joint)
        terms = [
            super(HeatmapDistillLoss, self).forward(output, target, weights)
            for output in outputs
        ]
        return sum(terms[1:], start=terms[0])

    def _joint_weights(
        self,
        target: Tensor,
        annotated: Tensor | None,
        has_joint: Tensor | None,
    ) -> Tensor | None:
        """Multiplies the weights of each joint; None if there are none."""
        factors = []
        if annotated is not None and not self.unannotated_joints:
            factors.append(annotated)
        if has_joint is not None:
            factors.append(has_joint.expand(target.shape[:2]))
        if self.confidence_weight or self.confidence_threshold > 0:
            peak = target.amax(dim=(2, 3))
            if self.confidence_weight:
                factors.append(peak.clamp(0, 1))
            factors.append((peak >= self.confidence_threshold).to(target.dtype))
        if not factors:
            return None
        weights = factors[0]
        for factor in factors[1:]:
            weights = weights * factor
        return weights
