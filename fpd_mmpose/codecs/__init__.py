"""Codecs between keypoints and heatmaps."""

from .fpd_heatmap import FPDHeatmap

__all__ = ['FPDHeatmap']
