"""Metrics."""

from fpd_mmpose.evaluation.fpd_coco_metric import FPDCocoMetric as FPDCocoMetric
from fpd_mmpose.evaluation.mpii_pckh import MpiiPCKh as MpiiPCKh
from fpd_mmpose.evaluation.mpii_pckh import mpii_pckh as mpii_pckh
