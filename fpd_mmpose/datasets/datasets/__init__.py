"""Datasets."""

from .body import FPDCocoDataset, FPDMpiiDataset

__all__ = ['FPDCocoDataset', 'FPDMpiiDataset']
