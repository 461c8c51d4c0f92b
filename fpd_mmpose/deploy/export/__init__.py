"""Trained networks written as ONNX files. Needs PyTorch and MMPose."""

from .exporting import export_model, export_onnx
from .int8 import Int8Report, export_int8, quantise_model
from .options import ExportOptions, ExportReport
from .tracing import trace_to_onnx

__all__ = [
    'ExportOptions',
    'ExportReport',
    'Int8Report',
    'export_int8',
    'export_model',
    'export_onnx',
    'quantise_model',
    'trace_to_onnx',
]
