"""Backbones."""

from .stacked_hourglass import StackedHourglass

__all__ = ['StackedHourglass']
