"""Backbones."""

from fpd_mmpose.models.backbones.stacked_hourglass import (
    StackedHourglass as StackedHourglass,
)
