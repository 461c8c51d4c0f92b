"""Datasets."""

from .body import FPDCocoDataset, FPDMpiiDataset, UnlabeledPoseDataset

__all__ = ['FPDCocoDataset', 'FPDMpiiDataset', 'UnlabeledPoseDataset']
