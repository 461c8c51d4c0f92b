"""Datasets and transforms."""

from .datasets import FPDCocoDataset, FPDMpiiDataset, UnlabeledPoseDataset
from .samplers import MixedBatchSampler
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
    'MixedBatchSampler',
    'RandomScaleRotation',
    'RescaleBox',
    'UnlabeledPoseDataset',
]
