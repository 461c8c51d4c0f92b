"""Datasets, samplers, and transforms."""

from fpd_mmpose.datasets.datasets import (
    FPDCocoDataset,
    FPDMpiiDataset,
    UnlabeledPoseDataset,
)
from fpd_mmpose.datasets.samplers import MixedBatchSampler
from fpd_mmpose.datasets.transforms import (
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
