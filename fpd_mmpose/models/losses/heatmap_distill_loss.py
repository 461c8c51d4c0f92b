"""The distillation term of FPD."""

from collections.abc import Sequence

from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class HeatmapDistillLoss(KeypointMSELoss):
    r"""MSE between the student's heatmaps and the teacher's, summed over stages.

    :class:`FPDDistiller` adds it to the loss of the student's head as
    :math:`(1 - \alpha) L_{pose} + \alpha L_{kd}` (Zhang et al., CVPR 2019,
    section 3.3; ``function.py`` of the released code). Each stage contributes

    .. math:: L_{kd} = c \cdot \mathrm{mean}_{B,K,H,W}\, w_{bk} (S - T)^2

    with the weights of the ground truth, so that a joint without annotation has no
    term, while it still counts in the mean.

    Args:
        alpha (float): Share of the distillation term, in [0, 1]. 0 is plain
            training, 1 needs no ground truth. Defaults to 0.5, as released.
        loss_weight (float): The factor c. The released code has 0.5 on both terms;
            :class:`FPDDistiller` passes the one of the student's head where its
            config names none. Defaults to 0.5.

    Raises:
        ValueError: If ``alpha`` is outside [0, 1] or ``loss_weight`` not positive.
    """

    def __init__(self, alpha: float = 0.5, loss_weight: float = 0.5):
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
            raise ValueError(f'distill_loss.alpha must be a number, got {alpha!r}')
        if not 0 <= alpha <= 1:
            raise ValueError(
                f'distill_loss.alpha must be between 0 and 1, got {alpha}: it is the '
                'share of the teacher in the loss'
            )
        if not loss_weight > 0:
            raise ValueError(
                f'distill_loss.loss_weight must be positive, got {loss_weight}'
            )
        super().__init__(use_target_weight=True, loss_weight=loss_weight)
        self.alpha = float(alpha)

    def forward(
        self,
        outputs: Sequence[Tensor],
        target: Tensor,
        target_weights: Tensor | None = None,
    ) -> Tensor:
        """Computes the unscaled distillation term.

        Args:
            outputs (Sequence[Tensor]): The student's heatmaps of every stage, each
                (N, K, H, W).
            target (Tensor): The teacher's heatmaps, (N, K, H, W).
            target_weights (Tensor, optional): Weights of the joints, (N, K).
                ``None`` weighs all of them 1.

        Returns:
            Tensor: The scalar :math:`L_{kd}`, without the factor alpha.
        """
        terms = [
            super(HeatmapDistillLoss, self).forward(output, target, target_weights)
            for output in outputs
        ]
        return sum(terms[1:], start=terms[0])
