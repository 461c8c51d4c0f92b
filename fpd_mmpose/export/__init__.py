"""Exports trained networks to ONNX. Needs PyTorch and MMPose."""

from fpd_mmpose.export.int8.int8_export import Int8Report as Int8Report
from fpd_mmpose.export.int8.int8_export import export_int8 as export_int8
from fpd_mmpose.export.int8.int8_export import quantize_model as quantize_model
from fpd_mmpose.export.onnx_export import checked_graph as checked_graph
from fpd_mmpose.export.onnx_export import export_model as export_model
from fpd_mmpose.export.onnx_export import export_onnx as export_onnx
from fpd_mmpose.export.options import ExportOptions as ExportOptions
from fpd_mmpose.export.options import ExportReport as ExportReport
from fpd_mmpose.export.tracing import trace_to_onnx as trace_to_onnx
