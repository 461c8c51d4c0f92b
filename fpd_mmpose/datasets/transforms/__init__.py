"""Pipeline transforms."""

from fpd_mmpose.datasets.transforms.fpd_load_image import FPDLoadImage as FPDLoadImage
from fpd_mmpose.datasets.transforms.fpd_pack_pose_inputs import (
    FPDPackPoseInputs as FPDPackPoseInputs,
)
from fpd_mmpose.datasets.transforms.fpd_topdown_affine import (
    FPDTopdownAffine as FPDTopdownAffine,
)
from fpd_mmpose.datasets.transforms.random_scale_rotation import (
    RandomScaleRotation as RandomScaleRotation,
)
from fpd_mmpose.datasets.transforms.rescale_box import RescaleBox as RescaleBox
from fpd_mmpose.datasets.transforms.topdown_affine import TopdownAffine as TopdownAffine
