"""Half precision between float32 ends."""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from fpd_mmpose.export.exportable import NETWORK
from fpd_mmpose.export.folding import drop_unused

_LARGEST = float(np.finfo(np.float16).max)


def to_half(model: ModelProto) -> ModelProto:
    """Makes the network of a graph compute in float16.

    Normalisation, flip test and decoding stay in float32, and so do inputs and
    outputs: a converter of all nodes would round keypoints, too.

    Args:
        model (ModelProto): Of :class:`ExportedNetwork`, without ``Constant`` nodes.

    Returns:
        ModelProto: Another one.
    """
    half = ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    inside = [node for node in graph.node if node.name.startswith(NETWORK)]
    made = {name for node in inside for name in node.output}
    constants = {one.name: one for one in graph.initializer}
    converted = {
        name for name, one in constants.items() if one.data_type == TensorProto.FLOAT
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
    exits = _exits(graph, inside, made)
    for node in inside:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = exits.get(name, name)
    _insert(graph, entries, exits)
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


def _exits(
    graph: GraphProto, inside: list[NodeProto], made: set[str]
) -> dict[str, str]:
    own = {node.name for node in inside}
    outside = {n for node in graph.node if node.name not in own for n in node.input}
    outside.update(one.name for one in graph.output)
    return {name: f'{name}/half' for name in sorted(made & outside)}


def _insert(graph: GraphProto, entries: dict[str, str], exits: dict[str, str]) -> None:
    """Puts casts before the first use of an entry and after what makes an exit."""
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
    del graph.value_info[:]  # of the types before


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node('Cast', [source], [target], f'{target}/Cast', to=kind)
