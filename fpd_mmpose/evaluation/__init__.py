"""Metrics."""

from .fpd_coco_metric import FPDCocoMetric
from .mpii_pckh import MpiiPCKh, mpii_pckh

__all__ = ['FPDCocoMetric', 'MpiiPCKh', 'mpii_pckh']
