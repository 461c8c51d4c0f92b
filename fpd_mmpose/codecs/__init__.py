"""Codecs between keypoints and heatmaps."""

from fpd_mmpose.codecs.fpd_heatmap import FPDHeatmap as FPDHeatmap
