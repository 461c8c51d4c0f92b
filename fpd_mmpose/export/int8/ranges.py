"""What values the tensors of a graph take."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, helper
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData

from fpd_mmpose.export.checking import session

#: Share of people whose values fit into a range. Those of a few strange ones reach
#: many times further, and would leave everyone coarse steps.
_FITTING = 0.9


def measure_ranges(graph: ModelProto, inputs: Sequence[np.ndarray]) -> TensorsData:
    """Runs a graph on people, and notes how far the values of each tensor reach.

    Args:
        graph (ModelProto): In float32.
        inputs (Sequence[np.ndarray]): What it takes, of one person each.

    Returns:
        TensorsData: The range of each float32 tensor, 0 included, for the quantiser.
    """
    watched = ModelProto()
    watched.CopyFrom(onnx.shape_inference.infer_shapes(graph))
    kinds = {
        one.name: one.type.tensor_type.elem_type
        for one in (*watched.graph.value_info, *watched.graph.output)
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
    runtime = session(watched)
    entry = runtime.get_inputs()[0].name
    lowest, highest = [], []
    for person in inputs:
        values = [person, *runtime.run(names, {entry: person})]
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
