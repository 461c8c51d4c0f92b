"""Backbones, distillers, losses, and test-time augmentation."""

from fpd_mmpose.models.backbones import StackedHourglass
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.models.losses import HeatmapDistillLoss, SimCCDistillLoss
from fpd_mmpose.models.tta import MultiScaleSearch

__all__ = [
    'FPDDistiller',
    'HeatmapDistillLoss',
    'MultiScaleSearch',
    'SimCCDistillLoss',
    'StackedHourglass',
]
