"""Quantization of graphs to 8 bits, with the measured ranges of their tensors."""

from collections.abc import Collection, Sequence

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, helper, numpy_helper
from onnxruntime.quantization import QDQQuantizer, QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData

from fpd_mmpose.export.checking import open_session
from fpd_mmpose.export.folding import affine_of, drop_unused

#: Operators that run in 8 bits, so that nothing is converted between them.
KINDS = ('Conv', 'Add', 'MaxPool', 'Relu', 'Resize')
#: Weights use 7 of the 8 bits. x86 CPUs without VNNI add pairs of products in 16 bits,
#: where 255 * (127 + 127) saturates and 255 * (64 + 64) does not.
REDUCE_RANGE = True
#: Share of people whose values fit into a range. A few outliers reach many times
#: further, and would make the steps coarse for everyone.
_FITTING = 0.9


def batch_norms_to_convolutions(graph: GraphProto) -> None:
    """Replaces batch norms by depthwise convolutions, which can run in 8 bits.

    A channel has a single weight, with its own scale, so quantization does not round
    it. The graph is changed in place.
    """
    constants = {value.name: value for value in graph.initializer}
    for node in graph.node:
        if node.op_type != 'BatchNormalization':
            continue
        factor, shift = affine_of(node, constants)
        names = [f'{node.name}/{part}' for part in ('weight', 'bias')]
        values = (factor.reshape(-1, 1, 1, 1), shift)
        graph.initializer.extend(
            numpy_helper.from_array(value.astype(np.float32), name)
            for value, name in zip(values, names, strict=True)
        )
        node.CopyFrom(
            helper.make_node(
                'Conv',
                [node.input[0], *names],
                list(node.output),
                node.name,
                kernel_shape=[1, 1],
                group=len(factor),
            )
        )
    drop_unused(graph)


def quantize_nodes(
    graph: ModelProto, nodes: Collection[str], ranges: TensorsData
) -> ModelProto:
    """Returns a copy of a float32 graph with the named nodes in 8 bits.

    ``ranges`` are those of the inputs and outputs of the nodes.
    """
    work = ModelProto()
    work.CopyFrom(graph)
    quantizer = QDQQuantizer(
        work,
        per_channel=True,
        reduce_range=REDUCE_RANGE,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=ranges,
        nodes_to_quantize=list(nodes),
        nodes_to_exclude=[],
        op_types_to_quantize=list(KINDS),
        extra_options={},
    )
    quantizer.quantize_model()
    # The quantizer appends nodes, and ONNX wants them in topological order.
    quantizer.model.topological_sort()
    return quantizer.model.model


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
