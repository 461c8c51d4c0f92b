"""Test-time augmentation."""

from .multi_scale_search import SCALES, MultiScaleSearch

__all__ = ['SCALES', 'MultiScaleSearch']
