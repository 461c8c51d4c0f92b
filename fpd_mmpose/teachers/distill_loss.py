"""What the distillation losses of all kinds of output have in common."""

from typing import Any

from mmengine.logging import MessageHub
from torch import Tensor, nn

from fpd_mmpose.errors import UserError

#: How alpha changes in training.
SCHEDULES = ('constant', 'linear', 'off_at_end')


class DistillLoss(nn.Module):
    """The teacher's share of the loss, and the weights of people and joints.

    :class:`HeatmapDistillLoss` describes the arguments.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        loss_weight: float = 0.5,
        unlabeled_weight: float = 1.0,
        unannotated_joints: bool = False,
        confidence_weight: bool = False,
        confidence_threshold: float = 0.0,
        alpha_schedule: str = 'constant',
    ) -> None:
        super().__init__()
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
            raise UserError(f'distill_loss.alpha must be a number, got {alpha!r}')
        if not 0 <= alpha <= 1:
            raise UserError(
                f'distill_loss.alpha must be between 0 and 1, the share of the teacher '
                f'in the loss, got {alpha}'
            )
        check_positive('loss_weight', loss_weight)
        if not unlabeled_weight >= 0:
            raise UserError(
                'distill_loss.unlabeled_weight must not be negative, got '
                f'{unlabeled_weight}'
            )
        if not 0 <= confidence_threshold <= 1:
            raise UserError(
                'distill_loss.confidence_threshold must be between 0 and 1, like the '
                f"teacher's confidence, got {confidence_threshold}"
            )
        if alpha_schedule not in SCHEDULES:
            raise UserError(
                f'distill_loss.alpha_schedule must be {" or ".join(SCHEDULES)}, got '
                f'{alpha_schedule!r}'
            )
        self.alpha = float(alpha)
        self.loss_weight = loss_weight
        self.unlabeled_weight = float(unlabeled_weight)
        self.unannotated_joints = unannotated_joints
        self.confidence_weight = confidence_weight
        self.confidence_threshold = float(confidence_threshold)
        self.alpha_schedule = alpha_schedule

    @property
    def needs_labels(self) -> bool:
        """Tells whether alpha is, or becomes, less than 1."""
        return self.alpha < 1 or self.alpha_schedule != 'constant'

    def present_alpha(self) -> float:
        """Returns alpha at this point of the run."""
        if self.alpha_schedule == 'constant':
            return self.alpha
        hub = MessageHub.get_current_instance()
        linear = self.alpha_schedule == 'linear'
        # The last tenth of a short run is less than an epoch.
        for unit in ('epoch', 'iter') if linear else ('iter',):
            last: Any = hub.get_info(f'max_{unit}s')
            # A run that counts in steps is one epoch.
            if last and (last > 1 or unit == 'iter'):
                done = hub.get_info(unit, 0) / last
                return self.alpha * (max(0.0, 1 - done) if linear else done < 0.9)
        return self.alpha

    def joint_weights(
        self,
        confidence: Tensor | None,
        annotated: Tensor | None,
        has_joint: Tensor | None,
    ) -> Tensor | None:
        """Multiplies the weights of each joint, (N, K); None if there are none.

        ``confidence`` is needed only if :attr:`uses_confidence`.
        """
        factors = []
        if annotated is not None and not self.unannotated_joints:
            factors.append(annotated)
        if has_joint is not None:
            factors.append(has_joint)
        if confidence is not None and self.confidence_weight:
            factors.append(confidence.clamp(0, 1))
        if confidence is not None and self.confidence_threshold > 0:
            factors.append((confidence >= self.confidence_threshold).to(confidence))
        if not factors:
            return None
        weights = factors[0]
        for factor in factors[1:]:
            weights = weights * factor
        return weights

    @property
    def uses_confidence(self) -> bool:
        """Tells whether the teacher's confidence matters."""
        return self.confidence_weight or self.confidence_threshold > 0


def check_positive(name: str, value: float) -> None:
    """Raises an error for a factor of the loss that is not positive."""
    if not value > 0:
        raise UserError(f'distill_loss.{name} must be positive, got {value}')
