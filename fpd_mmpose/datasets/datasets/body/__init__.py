"""Datasets of human bodies.

MMPoseInferencer derives the kind of object, and so the default detector, from the name
of this folder.
"""

from fpd_mmpose.datasets.datasets.body.fpd_coco_dataset import (
    FPDCocoDataset as FPDCocoDataset,
)
from fpd_mmpose.datasets.datasets.body.fpd_mpii_dataset import (
    FPDMpiiDataset as FPDMpiiDataset,
)
from fpd_mmpose.datasets.datasets.body.unlabeled_pose_dataset import (
    UnlabeledPoseDataset as UnlabeledPoseDataset,
)
