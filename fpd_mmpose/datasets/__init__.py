"""Datasets and transforms."""

from .datasets import FPDCocoDataset, FPDMpiiDataset, UnlabeledPoseDataset
from .samplers import MixedBatchSampler
from .transforms import (
    FPDLoadImage,
    FPDPackPoseInputs,
    FPDTopdownAffine,
    RandomScaleRotation,
    RescaleBox,
)

__all__ = [
    'FPDCocoDataset',
    'FPDLoadImage',
    'FPDMpiiDataset',
    'FPDPackPoseInputs',
    'FPDTopdownAffine',
    'MixedBatchSampler',
    'RandomScaleRotation',
    'RescaleBox',
    'UnlabeledPoseDataset',
]
