"""The distillation loss of networks with SimCC heads, such as RTMPose."""

from collections.abc import Sequence
from typing import Any

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
        **kwargs: The other arguments of :class:`HeatmapDistillLoss`; ``loss_weight``,
            the factor c, is 1 by default. As in the head's loss, the terms of labeled
            and of unlabeled people are sums over people. The teacher's confidence is
            its highest probability as a share of a target's, the smaller of x and y.

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

    def __init__(self, alpha: float = 0.5, beta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(alpha, **kwargs)
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
