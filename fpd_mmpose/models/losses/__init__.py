"""Losses."""

from fpd_mmpose.models.losses.heatmap_distill_loss import (
    HeatmapDistillLoss as HeatmapDistillLoss,
)
from fpd_mmpose.models.losses.simcc_distill_loss import (
    SimCCDistillLoss as SimCCDistillLoss,
)
