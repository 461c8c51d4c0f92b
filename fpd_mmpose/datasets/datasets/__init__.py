"""Datasets."""

from fpd_mmpose.datasets.datasets.body import FPDCocoDataset as FPDCocoDataset
from fpd_mmpose.datasets.datasets.body import FPDMpiiDataset as FPDMpiiDataset
from fpd_mmpose.datasets.datasets.body import (
    UnlabeledPoseDataset as UnlabeledPoseDataset,
)
