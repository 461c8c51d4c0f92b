"""Test-time augmentation."""

from fpd_mmpose.models.tta.multi_scale_search import SCALES as SCALES
from fpd_mmpose.models.tta.multi_scale_search import (
    MultiScaleSearch as MultiScaleSearch,
)
