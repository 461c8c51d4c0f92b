"""Datasets."""

from fpd_mmpose.datasets.datasets.body import (
    FPDCocoDataset,
    FPDMpiiDataset,
    UnlabeledPoseDataset,
)

__all__ = ['FPDCocoDataset', 'FPDMpiiDataset', 'UnlabeledPoseDataset']
