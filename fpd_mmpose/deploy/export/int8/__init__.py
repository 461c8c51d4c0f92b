"""Exports networks in 8 bits."""

from fpd_mmpose.deploy.export.int8.exporting import (
    Int8Report,
    export_int8,
    quantize_model,
)

__all__ = ['Int8Report', 'export_int8', 'quantize_model']
