"""The distillation term of FPD."""

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
    section 3.3; ``function.py`` of the released code). Each stage contributes

    .. math:: L_{kd} = c \cdot \mathrm{mean}_{B,K,H,W}\, w_{bk} (S - T)^2

    with the weights of the ground truth, so that a joint without annotation has no
    term, while it still counts in the mean.

    Unlabelled people have all joints of the teacher as targets, and a mean of their
    own, which is added: :math:`\alpha (L_{kd} + u L_{kd}^{unlabelled})`. The terms of
    the labelled people are what they are without the others.

    Args:
        alpha (float): Share of the distillation term, in [0, 1]. 0 is plain
            training, 1 needs no ground truth. Defaults to 0.5, as released.
        loss_weight (float): The factor c. The released code has 0.5 on both terms;
            :class:`FPDDistiller` passes the one of the student's head where its
            config names none. Defaults to 0.5.
        unlabeled_weight (float): The factor u, not negative. Defaults to 1: the mean
            over unlabelled people weighs as much as that over labelled ones.
        unannotated_joints (bool): Whether the teacher also teaches the joints of
            labelled people that the ground truth leaves out, which the paper argues
            for (section 3.3) and the released code does not do (``function.py``
            multiplies both terms by ``target_weight``). Defaults to False.
        confidence_weight (bool): Whether each joint is weighed by the teacher's
            confidence, the peak of its heatmap between 0 and 1 (1 is that of a target).
            Not in the paper. Defaults to False.
        confidence_threshold (float): Joints whose peak is lower have no term, in
            [0, 1]. Not in the paper. Defaults to 0: all have one.

    Raises:
        UserError: If an argument is out of range. One line.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        loss_weight: float = 0.5,
        unlabeled_weight: float = 1.0,
        unannotated_joints: bool = False,
        confidence_weight: bool = False,
        confidence_threshold: float = 0.0,
    ):
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
            raise UserError(f'distill_loss.alpha must be a number, got {alpha!r}')
        if not 0 <= alpha <= 1:
            raise UserError(
                f'distill_loss.alpha must be between 0 and 1, got {alpha}: it is the '
                'share of the teacher in the loss'
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
                'distill_loss.confidence_threshold must be between 0 and 1, got '
                f'{confidence_threshold}: it is a peak of a heatmap'
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
            outputs (Sequence[Tensor]): The student's heatmaps of every stage, each
                (N, K, H, W).
            target (Tensor): The teacher's heatmaps, (N, K, H, W).
            target_weights (Tensor, optional): The ground truth's weights of the joints,
                (N, K). ``None``, as for unlabelled people, weighs all of them 1.
            has_joint (Tensor, optional): 1 for joints that the teacher has, else 0,
                (K,). ``None``: it has all.

        Returns:
            Tensor: The scalar :math:`L_{kd}`, without the factors alpha and u.
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
        """Multiplies what weighs a joint; None if nothing does."""
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
