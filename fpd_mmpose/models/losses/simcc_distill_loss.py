"""The distillation loss of networks with SimCC heads, such as RTMPose."""

from collections.abc import Sequence

from mmpose.models.losses import KLDiscretLoss
from mmpose.registry import MODELS
from torch import Tensor

from fpd_mmpose.teachers.distill_loss import DistillLoss, check_positive


@MODELS.register_module()
class SimCCDistillLoss(DistillLoss):
    r"""KL divergence of the student's SimCC vectors from the teacher's.

    :class:`FPDDistiller` adds it to the loss of the student's head as
    :math:`(1 - \alpha) L_{pose} + \alpha L_{kd}`. The teacher's probabilities take the
    place of the labels in the head's own loss, MMPose's ``KLDiscretLoss``:

    .. math:: L_{kd} = \frac{c}{K} \sum_{B,K} w_{bk} \sum_{a \in \{x, y\}}
        \mathrm{mean}_i\, KL(t^a_{bk} \,\|\, \mathrm{softmax}(\beta s^a_{bk}))

    Its gradient is that of the logit term of DWPose (Yang et al., ICCVW 2023), but for
    a factor; ``alpha_schedule='linear'`` is the decay used there.

    Args:
        alpha: The teacher's share of the loss, in [0, 1]. 0 is plain training, 1 needs
            no ground truth. Defaults to 0.5.
        beta: The factor of the student's logits, positive. :class:`FPDDistiller` passes
            that of the head's loss.
        loss_weight: The factor c, positive.
        unlabeled_weight: The factor of the term of unlabeled people, not negative. As
            the head's loss, both terms are sums over people.
        unannotated_joints: Whether the teacher also teaches the joints of labeled
            people that are not annotated.
        confidence_weight: Whether each joint is weighted by the teacher's confidence:
            its highest probability as a share of a target's, the smaller of x and y.
        confidence_threshold: Joints with a lower confidence have no term; in [0, 1].
        alpha_schedule: ``'constant'``; ``'linear'``, which lowers alpha to 0 over the
            run, by epochs or steps; or ``'off_at_end'``, which sets it to 0 for the
            last tenth of the run's steps, as MMRazor's distillation of RTMDet ends
            before the run does. The log shows an alpha that changes as ``alpha``.

    Raises:
        UserError: If an argument is out of range.

    Example:
        >>> import torch
        >>> from fpd_mmpose import SimCCDistillLoss
        >>> loss = SimCCDistillLoss(alpha=0.5, beta=10.0)
        >>> logits = torch.rand(2, 17, 384), torch.rand(2, 17, 512)
        >>> target = tuple((one * 10).softmax(2) for one in logits)
        >>> bool(loss([logits], target).abs() < 1e-6)
        True
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 1.0,
        loss_weight: float = 1.0,
        unlabeled_weight: float = 1.0,
        unannotated_joints: bool = False,
        confidence_weight: bool = False,
        confidence_threshold: float = 0.0,
        alpha_schedule: str = 'constant',
    ) -> None:
        super().__init__(
            alpha,
            loss_weight,
            unlabeled_weight,
            unannotated_joints,
            confidence_weight,
            confidence_threshold,
            alpha_schedule,
        )
        check_positive('beta', beta)
        self.divergence = KLDiscretLoss(beta=beta, use_target_weight=True)

    def forward(
        self,
        outputs: Sequence[tuple[Tensor, Tensor]],
        target: tuple[Tensor, Tensor],
        target_weights: Tensor | None = None,
        has_joint: Tensor | None = None,
        confidence: Tensor | None = None,
    ) -> Tensor:
        """Computes the unscaled distillation term of some people.

        Args:
            outputs: The student's logits, a pair of (N, K, cells of x) and (N, K, cells
                of y) for each stage.
            target: The teacher's probabilities in the same cells.
            target_weights: The ground truth's weights of the joints, (N, K). By default
                all are 1, as for unlabeled people.
            has_joint: 1 for each joint that the teacher has, else 0, (K,). By default
                it has all.
            confidence: The teacher's confidence, (N, K). By default 1.

        Returns:
            The scalar :math:`L_{kd}`, without alpha.
        """
        shape = target[0].shape[:2]
        weights = self.joint_weights(confidence, target_weights, has_joint)
        if weights is None:
            weights = target[0].new_ones(shape)
        weights = weights.to(target[0].dtype).expand(shape)
        terms = [self.divergence(output, target, weights) for output in outputs]
        return self.loss_weight * sum(terms[1:], start=terms[0])
