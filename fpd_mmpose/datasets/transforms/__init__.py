"""Pipeline transforms."""

from .random_scale_rotation import RandomScaleRotation

__all__ = ['RandomScaleRotation']
