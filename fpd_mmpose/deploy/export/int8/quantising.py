"""Graphs in 8 bits."""

from collections.abc import Collection

import numpy as np
from onnx import GraphProto, ModelProto, helper, numpy_helper
from onnxruntime.quantization import QDQQuantizer, QuantType, TensorsData

from ..folding import affine_of, drop_unused

#: Kinds of nodes that work on 8 bits, so that nothing is converted between them.
KINDS = ('Conv', 'Add', 'MaxPool', 'Relu', 'Resize')
#: Weights use 7 of the 8 bits. x86 CPUs without VNNI add pairs of products in 16 bits,
#: where 255 * (127 + 127) saturates and 255 * (64 + 64) does not.
REDUCE_RANGE = True


def norms_as_convolutions(graph: GraphProto) -> None:
    """Writes batch norms as convolutions of each channel by itself.

    Only the latter can be done in 8 bits. A channel then has one weight, and a scale of
    its own for it: nothing is rounded.

    Args:
        graph (GraphProto): Changed in place.
    """
    constants = {one.name: one for one in graph.initializer}
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


def in_8_bits(
    graph: ModelProto, nodes: Collection[str], ranges: TensorsData
) -> ModelProto:
    """Quantises nodes.

    Args:
        graph (ModelProto): In float32.
        nodes (Collection[str]): Names of those to quantise.
        ranges (TensorsData): Of their inputs and outputs.

    Returns:
        ModelProto: Another one.
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
    # It appends what it adds, and ONNX wants nodes in the order of their use.
    quantizer.model.topological_sort()
    return quantizer.model.model
