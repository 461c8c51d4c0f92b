"""Networks, distillers and losses."""

from .backbones import StackedHourglass
from .distillers import FPDDistiller, Teacher
from .losses import HeatmapDistillLoss

__all__ = ['FPDDistiller', 'HeatmapDistillLoss', 'StackedHourglass', 'Teacher']
