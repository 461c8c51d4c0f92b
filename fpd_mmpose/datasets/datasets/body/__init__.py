"""Datasets of bodies.

MMPoseInferencer takes the kind of object, and with it the default detector, from the
name of this folder.
"""

from .fpd_coco_dataset import FPDCocoDataset
from .fpd_mpii_dataset import FPDMpiiDataset
from .unlabeled_pose_dataset import UnlabeledPoseDataset

__all__ = ['FPDCocoDataset', 'FPDMpiiDataset', 'UnlabeledPoseDataset']
