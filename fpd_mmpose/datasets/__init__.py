"""Datasets and transforms."""

from .datasets import FPDCocoDataset, FPDMpiiDataset
from .transforms import (
    FPDLoadImage,
    FPDTopdownAffine,
    RandomScaleRotation,
    RescaleBox,
)

__all__ = [
    'FPDCocoDataset',
    'FPDLoadImage',
    'FPDMpiiDataset',
    'FPDTopdownAffine',
    'RandomScaleRotation',
    'RescaleBox',
]
