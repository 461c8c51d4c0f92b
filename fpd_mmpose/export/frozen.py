"""Finds the layer that turned the size of the traced batch into a constant."""

import numpy as np
from onnx import GraphProto, numpy_helper
from torch import nn

from fpd_mmpose.errors import UserError


def frozen_error(graph: GraphProto, network: nn.Module, traced: int) -> UserError:
    """Returns the error for a graph that is right for batches of one size only.

    The nodes of the graph are named after the modules of the network.
    """
    return UserError(
        f'the network was not exported: {_layer(graph, network, traced)} computes with '
        'the number of people as a constant, so the file could not take another number '
        'of people at once; use a backbone or head without such a layer'
    )


def _layer(graph: GraphProto, network: nn.Module, traced: int) -> str:
    constants = {
        value.name: numpy_helper.to_array(value) for value in graph.initializer
    }
    makers = {name: node for node in graph.node for name in node.output}
    computed = {value.name for value in graph.input}
    for node in graph.node:
        if not computed.intersection(node.input):
            continue  # of weights alone, so it may have any shape
        computed.update(node.output)
        if node.op_type != 'Reshape':
            continue
        shape = node.input[1]
        # A shape that depends on others is put together from its sizes.
        maker = makers.get(shape)
        if maker is not None and maker.op_type == 'Concat':
            shape = maker.input[0]
        first = np.ravel(constants.get(shape, 0))[:1]
        if first.size and first[0] > 0 and first[0] % traced == 0:
            return f'its {type(_module(network, node.name)).__name__}'
    return 'a part of it'


def _module(network: nn.Module, node: str) -> nn.Module:
    """Returns the innermost module that the path of a node names."""
    module = above = network
    for part in node.strip('/').split('/'):
        # The parts of a sequence are named from where the sequence is.
        for parent in (module, above):
            child = dict(parent.named_modules()).get(part)
            if child is not None:
                above, module = parent, child
                break
    return module
