"""Exports networks in 8 bits."""

from fpd_mmpose.export.int8.int8_export import Int8Report, export_int8, quantize_model

__all__ = ['Int8Report', 'export_int8', 'quantize_model']
