"""Backbones, distillers, losses, and test-time augmentation."""

from fpd_mmpose.models.backbones import StackedHourglass as StackedHourglass
from fpd_mmpose.models.distillers import FPDDistiller as FPDDistiller
from fpd_mmpose.models.losses import HeatmapDistillLoss as HeatmapDistillLoss
from fpd_mmpose.models.losses import SimCCDistillLoss as SimCCDistillLoss
from fpd_mmpose.models.tta import MultiScaleSearch as MultiScaleSearch
