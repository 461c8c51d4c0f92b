"""Pipeline transforms."""

from .fpd_load_image import FPDLoadImage
from .fpd_pack_pose_inputs import FPDPackPoseInputs
from .fpd_topdown_affine import FPDTopdownAffine
from .random_scale_rotation import RandomScaleRotation
from .rescale_box import RescaleBox

__all__ = [
    'FPDLoadImage',
    'FPDPackPoseInputs',
    'FPDTopdownAffine',
    'RandomScaleRotation',
    'RescaleBox',
]
