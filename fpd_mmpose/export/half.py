"""Conversion of graphs to half precision, with float32 inputs and outputs."""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from fpd_mmpose.export.exportable import NETWORK
from fpd_mmpose.export.folding import drop_unused

_LARGEST = float(np.finfo(np.float16).max)


def to_half(model: ModelProto) -> ModelProto:
    """Returns a copy of a graph whose network computes in float16.

    Normalization, flip test, and decoding stay in float32: a converter of all nodes
    would also round keypoints. The graph must have no ``Constant`` nodes.
    """
    half = ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    inside = [node for node in graph.node if node.name.startswith(NETWORK)]
    made = {name for node in inside for name in node.output}
    constants = {value.name: value for value in graph.initializer}
    converted = {
        name
        for name, value in constants.items()
        if value.data_type == TensorProto.FLOAT
    }
    entries: dict[str, str] = {}
    for node in inside:
        if node.op_type == 'Cast':
            for attribute in node.attribute:
                if attribute.name == 'to' and attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.FLOAT16
        for index, name in enumerate(node.input):
            if not name or (node.op_type == 'Resize' and index):
                continue  # its scales are float32 by definition
            if name in converted:
                node.input[index] = _half_constant(graph, constants, name)
            elif name not in made and name not in constants:
                node.input[index] = entries.setdefault(name, f'{name}/half')
    own = {node.name for node in inside}
    outside = {n for node in graph.node if node.name not in own for n in node.input}
    outside.update(output.name for output in graph.output)
    exits = {name: f'{name}/half' for name in sorted(made & outside)}
    for node in inside:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = exits.get(name, name)
    _insert_casts(graph, entries, exits)
    drop_unused(graph)
    return half


def _half_constant(
    graph: GraphProto, constants: dict[str, TensorProto], name: str
) -> str:
    new = f'{name}/half'
    if new not in constants:
        value = np.clip(numpy_helper.to_array(constants[name]), -_LARGEST, _LARGEST)
        constants[new] = numpy_helper.from_array(value.astype(np.float16), new)
        graph.initializer.append(constants[new])
    return new


def _insert_casts(
    graph: GraphProto, entries: dict[str, str], exits: dict[str, str]
) -> None:
    """Inserts casts before the first use of each entry and after each exit."""
    waiting = dict(entries)
    full = {short: name for name, short in exits.items()}
    nodes = []
    for node in graph.node:
        for name in [name for name, short in waiting.items() if short in node.input]:
            nodes.append(_cast(name, waiting.pop(name), TensorProto.FLOAT16))
        nodes.append(node)
        for short in full.keys() & set(node.output):
            nodes.append(_cast(short, full[short], TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # outdated types


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node('Cast', [source], [target], f'{target}/Cast', to=kind)
