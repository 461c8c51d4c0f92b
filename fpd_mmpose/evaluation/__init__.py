"""Metrics."""

from fpd_mmpose.evaluation.fpd_coco_metric import FPDCocoMetric
from fpd_mmpose.evaluation.mpii_pckh import MpiiPCKh, mpii_pckh

__all__ = ['FPDCocoMetric', 'MpiiPCKh', 'mpii_pckh']
