"""Test-time augmentation."""

from fpd_mmpose.models.tta.multi_scale_search import SCALES, MultiScaleSearch

__all__ = ['MultiScaleSearch', 'SCALES']
