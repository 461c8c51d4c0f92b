"""Losses."""

from fpd_mmpose.models.losses.heatmap_distill_loss import HeatmapDistillLoss

__all__ = ['HeatmapDistillLoss']
