"""Exports trained networks to ONNX. Needs PyTorch and MMPose."""

from fpd_mmpose.export.int8.int8_export import Int8Report, export_int8, quantize_model
from fpd_mmpose.export.onnx_export import checked_graph, export_model, export_onnx
from fpd_mmpose.export.options import ExportOptions, ExportReport
from fpd_mmpose.export.tracing import trace_to_onnx

__all__ = [
    'ExportOptions',
    'ExportReport',
    'Int8Report',
    'checked_graph',
    'export_int8',
    'export_model',
    'export_onnx',
    'quantize_model',
    'trace_to_onnx',
]
