"""Exports in half precision."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto

from fpd_mmpose.export import ExportOptions, export_model
from tests.helpers.export_data import Student, described, kinds, run


def test_only_the_network_is_in_half_precision(
    student: Student, tmp_path: Path
) -> None:
    options = ExportOptions(precision='fp16')
    report = export_model(student.model, tmp_path / 'half.onnx', options)
    full = export_model(student.model, tmp_path / 'full.onnx')
    assert described(tmp_path / 'half.onnx').precision == 'fp16'
    graph = onnx.load(str(tmp_path / 'half.onnx')).graph
    for one in (*graph.input, *graph.output):
        assert one.type.tensor_type.elem_type == TensorProto.FLOAT
    weights = [one for one in graph.initializer if len(one.dims) == 4]
    assert {one.data_type for one in weights} == {TensorProto.FLOAT16}
    # One at each end, and none inside, which would cost more than it saves.
    assert kinds(tmp_path / 'half.onnx')['Cast'] == 2
    assert 0 < report.difference < 0.02 * report.peak
    assert full.difference < report.difference


def test_keypoints_are_not_rounded(student: Student, tmp_path: Path) -> None:
    options = ExportOptions(True, True, 'rgb', 'fp16')
    export_model(student.model, tmp_path / 'half.onnx', options)
    images = torch.randint(256, (2, 64, 64, 3), dtype=torch.uint8).numpy()
    found = run(tmp_path / 'half.onnx', images)
    assert found['keypoints'].dtype == found['scores'].dtype == np.float32
    # A quarter of a heatmap pixel is a whole input pixel.
    np.testing.assert_array_equal(found['keypoints'] % 1, 0)
