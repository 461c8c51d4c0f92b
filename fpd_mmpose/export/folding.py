"""Merging of layers, which changes results only by rounding."""

import copy
from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper
from torch import nn

from fpd_mmpose.models.backbones.stacked_hourglass import HourglassStack


def merge_feedback(model: nn.Module) -> None:
    """Merges the convolutions that feed each stack of an hourglass into the next.

    Features and heatmaps are both mapped linearly. The heatmaps of inner stacks are
    then unused, and so left out of the graph. The model is changed in place.
    """
    for stack in model.modules():
        if isinstance(stack, HourglassStack) and not stack.last:
            stack.__class__ = _MergedStack
            stack.merge = _merged(stack)


class _MergedStack(HourglassStack):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.conv(self.blocks(self.hourglass(x)))
        features = torch.relu(self.norm(features))
        return x + self.merge(features), self.score(features)


def _merged(stack: HourglassStack) -> nn.Conv2d:
    direct, score, back = (
        {name: value.double() for name, value in layer.state_dict().items()}
        for layer in (stack.merge_features, stack.score, stack.merge_score)
    )
    through = back['weight'][:, :, 0, 0]
    weight = (through @ score['weight'][:, :, 0, 0])[:, :, None, None]
    merged = copy.deepcopy(stack.merge_features)
    merged.load_state_dict(
        dict(
            weight=direct['weight'] + weight,
            bias=direct['bias'] + back['bias'] + through @ score['bias'],
        )
    )
    return merged


def fold_batch_norms(model: ModelProto) -> None:
    """Folds batch norms into transposed convolutions, as PyTorch's exporter does not.

    The model is changed in place.
    """
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(output.name for output in graph.output)
    folded = []
    for norm in graph.node:
        if norm.op_type != 'BatchNormalization' or uses[norm.input[0]] > 1:
            continue
        conv = makers.get(norm.input[0])
        if conv is None or conv.op_type != 'ConvTranspose':
            continue
        if any(a.name == 'group' and a.i != 1 for a in conv.attribute):
            continue
        _fold(graph, conv, norm)
        folded.append(norm)
    for norm in folded:
        graph.node.remove(norm)
    drop_unused(graph)


def tidy(model: ModelProto) -> None:
    """Turns constant nodes into initializers, and removes identities, in place.

    The tracer writes constants as nodes, and shared weights as identities.
    """
    graph = model.graph
    results = {output.name for output in graph.output}
    same: dict[str, str] = {}
    kept = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        if node.op_type == 'Identity' and node.output[0] not in results:
            same[node.output[0]] = node.input[0]
        elif node.op_type == 'Constant' and node.attribute[0].name == 'value':
            value = node.attribute[0].t
            value.name = node.output[0]
            graph.initializer.append(value)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    drop_unused(graph)


def drop_unused(graph: GraphProto) -> None:
    """Removes initializers that no node uses, in place."""
    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.initializer if value.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def affine_of(
    norm: NodeProto, values: Mapping[str, TensorProto]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the factor and the shift of a batch norm, float64 (C,) each."""
    scale, shift, mean, variance = (
        numpy_helper.to_array(values[name]).astype(np.float64)
        for name in norm.input[1:5]
    )
    epsilon = next((a.f for a in norm.attribute if a.name == 'epsilon'), 1e-5)
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def _fold(graph: GraphProto, conv: NodeProto, norm: NodeProto) -> None:
    values = {value.name: value for value in graph.initializer}
    weight, *bias = (numpy_helper.to_array(values[name]) for name in conv.input[1:])
    factor, shift = affine_of(norm, values)
    # Weights of transposed convolutions are (in, out, height, width).
    weight = weight * factor[None, :, None, None]
    bias = (bias[0] if bias else 0) * factor + shift
    # Under new names, because layers with equal values share them.
    del conv.input[1:]
    for name, value in (('weight', weight), ('bias', bias)):
        conv.input.append(f'{conv.name}/folded_{name}')
        graph.initializer.append(
            numpy_helper.from_array(value.astype(np.float32), conv.input[-1])
        )
    conv.output[0] = norm.output[0]
