"""Layers merged where it changes nothing but the rounding."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper
from torch import nn

from fpd_mmpose.models.backbones.stacked_hourglass import HourglassStack


def merge_feedback(model: nn.Module) -> None:
    """Makes one convolution of what each stack of an hourglass feeds into the next.

    The features and the heatmaps made of them are both mapped linearly, and nobody
    asks for the heatmaps of inner stacks; those are then left out of the graph.

    Args:
        model (nn.Module): Changed in place.
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


@torch.no_grad()
def _merged(stack: HourglassStack) -> nn.Conv2d:
    direct, score, back = stack.merge_features, stack.score, stack.merge_score
    merged = nn.Conv2d(direct.in_channels, direct.out_channels, 1)
    through = back.weight[:, :, 0, 0].double()
    weight = direct.weight.double()
    weight = weight + (through @ score.weight[:, :, 0, 0].double())[:, :, None, None]
    bias = direct.bias.double() + back.bias.double() + through @ score.bias.double()
    merged.weight.copy_(weight)
    merged.bias.copy_(bias)
    return merged.to(direct.weight.device)


def fold_batch_norms(model: ModelProto) -> int:
    """Folds batch norms into transposed convolutions, which PyTorch's exporter leaves.

    Args:
        model (ModelProto): Changed in place.

    Returns:
        int: How many.
    """
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(one.name for one in graph.output)
    folded = []
    for norm in graph.node:
        if norm.op_type != 'BatchNormalization' or uses[norm.input[0]] > 1:
            continue
        conv = makers.get(norm.input[0])
        if conv is None or conv.op_type != 'ConvTranspose' or _group(conv) != 1:
            continue
        _fold(graph, conv, norm)
        folded.append(norm)
    for norm in folded:
        graph.node.remove(norm)
    drop_unused(graph)
    return len(folded)


def tidy(model: ModelProto) -> None:
    """Takes out nodes that only pass a constant on, which every reader does itself.

    The tracer writes constants as nodes, and weights that layers share by identities.

    Args:
        model (ModelProto): Changed in place.
    """
    graph = model.graph
    results = {one.name for one in graph.output}
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
    """Takes out the weights that no node asks for.

    Args:
        graph (GraphProto): Changed in place.
    """
    used = {name for node in graph.node for name in node.input}
    kept = [one for one in graph.initializer if one.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def affine_of(
    norm: NodeProto, values: Mapping[str, TensorProto]
) -> tuple[np.ndarray, np.ndarray]:
    """Reads what a batch norm does to each channel.

    Args:
        norm (NodeProto): The batch norm.
        values (Mapping[str, TensorProto]): Constants of its graph, by name.

    Returns:
        tuple[np.ndarray, np.ndarray]: The factor, and what is then added, float64 (C,).
    """
    scale, shift, mean, variance = (
        numpy_helper.to_array(values[name]).astype(np.float64)
        for name in norm.input[1:5]
    )
    epsilon = next((a.f for a in norm.attribute if a.name == 'epsilon'), 1e-5)
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def _fold(graph: GraphProto, conv: NodeProto, norm: NodeProto) -> None:
    values = {one.name: one for one in graph.initializer}
    weight, *bias = (numpy_helper.to_array(values[name]) for name in conv.input[1:])
    factor, shift = affine_of(norm, values)
    # Transposed convolutions are (in, out, height, width).
    weight = weight * factor[None, :, None, None]
    bias = (bias[0] if bias else 0) * factor + shift
    # Under new names: the exporter lets layers share equal values.
    del conv.input[1:]
    for name, value in (('weight', weight), ('bias', bias)):
        conv.input.append(f'{conv.name}/folded_{name}')
        graph.initializer.append(
            numpy_helper.from_array(value.astype(np.float32), conv.input[-1])
        )
    conv.output[0] = norm.output[0]


def _group(conv: NodeProto) -> int:
    return next((a.i for a in conv.attribute if a.name == 'group'), 1)
