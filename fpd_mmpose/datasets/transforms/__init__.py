"""Pipeline transforms."""

from fpd_mmpose.datasets.transforms.fpd_load_image import FPDLoadImage
from fpd_mmpose.datasets.transforms.fpd_pack_pose_inputs import FPDPackPoseInputs
from fpd_mmpose.datasets.transforms.fpd_topdown_affine import FPDTopdownAffine
from fpd_mmpose.datasets.transforms.random_scale_rotation import RandomScaleRotation
from fpd_mmpose.datasets.transforms.rescale_box import RescaleBox
from fpd_mmpose.datasets.transforms.topdown_affine import TopdownAffine

__all__ = [
    'FPDLoadImage',
    'FPDPackPoseInputs',
    'FPDTopdownAffine',
    'RandomScaleRotation',
    'RescaleBox',
    'TopdownAffine',
]
