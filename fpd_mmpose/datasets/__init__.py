"""Datasets and transforms."""

from .datasets import FPDMpiiDataset
from .transforms import RandomScaleRotation

__all__ = ['FPDMpiiDataset', 'RandomScaleRotation']
