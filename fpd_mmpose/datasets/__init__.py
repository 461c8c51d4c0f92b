"""Datasets, samplers, and transforms."""

from fpd_mmpose.datasets.datasets import FPDCocoDataset as FPDCocoDataset
from fpd_mmpose.datasets.datasets import FPDMpiiDataset as FPDMpiiDataset
from fpd_mmpose.datasets.datasets import UnlabeledPoseDataset as UnlabeledPoseDataset
from fpd_mmpose.datasets.samplers import MixedBatchSampler as MixedBatchSampler
from fpd_mmpose.datasets.transforms import FPDLoadImage as FPDLoadImage
from fpd_mmpose.datasets.transforms import FPDPackPoseInputs as FPDPackPoseInputs
from fpd_mmpose.datasets.transforms import FPDTopdownAffine as FPDTopdownAffine
from fpd_mmpose.datasets.transforms import RandomScaleRotation as RandomScaleRotation
from fpd_mmpose.datasets.transforms import RescaleBox as RescaleBox
