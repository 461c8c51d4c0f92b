"""Datasets."""

from .body import FPDMpiiDataset

__all__ = ['FPDMpiiDataset']
