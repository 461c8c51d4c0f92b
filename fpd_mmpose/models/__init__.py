"""Networks, distillers and losses."""

from .backbones import StackedHourglass
from .distillers import FPDDistiller, Teacher
from .losses import HeatmapDistillLoss
from .tta import MultiScaleSearch

__all__ = [
    'FPDDistiller',
    'HeatmapDistillLoss',
    'MultiScaleSearch',
    'StackedHourglass',
    'Teacher',
]
