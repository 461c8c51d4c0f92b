"""Drawn people in MPII's layout, for the quick start and for tests."""

from .mpii_writer import write_dataset
from .scene import draw_person

__all__ = ['draw_person', 'write_dataset']
