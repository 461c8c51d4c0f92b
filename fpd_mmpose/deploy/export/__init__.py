"""Trained networks written as ONNX files. Needs PyTorch and MMPose."""

from .exporting import export_model, export_onnx
from .options import ExportOptions, ExportReport
from .tracing import trace_to_onnx

__all__ = [
    'ExportOptions',
    'ExportReport',
    'export_model',
    'export_onnx',
    'trace_to_onnx',
]
