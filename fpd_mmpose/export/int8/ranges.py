"""Calibration: the ranges of the tensors of a graph."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, helper
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData

from fpd_mmpose.export.checking import open_session

#: Share of people whose values fit into a range. A few outliers reach many times
#: further, and would make the steps coarse for everyone.
_FITTING = 0.9


def measure_ranges(graph: ModelProto, inputs: Sequence[np.ndarray]) -> TensorsData:
    """Measures the range of each float32 tensor on inputs of one person each.

    Ranges include 0.
    """
    watched = ModelProto()
    watched.CopyFrom(onnx.shape_inference.infer_shapes(graph))
    kinds = {
        value.name: value.type.tensor_type.elem_type
        for value in (*watched.graph.value_info, *watched.graph.output)
    }
    names = [
        name
        for node in graph.graph.node
        for name in node.output
        if kinds.get(name, onnx.TensorProto.FLOAT) == onnx.TensorProto.FLOAT
    ]
    del watched.graph.output[:]
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
    )
    session = open_session(watched)
    entry = session.get_inputs()[0].name
    lowest, highest = [], []
    for person in inputs:
        values = [person, *session.run(names, {entry: person})]
        lowest.append([value.min() for value in values])
        highest.append([value.max() for value in values])
    low = np.quantile(np.array(lowest, np.float32), 1 - _FITTING, axis=0)
    high = np.quantile(np.array(highest, np.float32), _FITTING, axis=0)
    return TensorsData(
        CalibrationMethod.MinMax,
        {
            name: (np.float32(min(a, 0)), np.float32(max(b, 0)))
            for name, a, b in zip([entry, *names], low, high, strict=True)
        },
    )
