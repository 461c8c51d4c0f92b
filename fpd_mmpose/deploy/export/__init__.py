"""Trained networks written as ONNX files. Needs PyTorch and MMPose."""

from .exporting import Checked, checked_graph, export_model, export_onnx
from .int8 import Int8Report, export_int8, quantise_model
from .options import ExportOptions, ExportReport
from .tracing import trace_to_onnx

__all__ = [
    'Checked',
    'ExportOptions',
    'ExportReport',
    'Int8Report',
    'checked_graph',
    'export_int8',
    'export_model',
    'export_onnx',
    'quantise_model',
    'trace_to_onnx',
]
