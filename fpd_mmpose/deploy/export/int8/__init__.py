"""Exported networks in 8 bits."""

from .exporting import Int8Report, export_int8, quantise_model

__all__ = ['Int8Report', 'export_int8', 'quantise_model']
