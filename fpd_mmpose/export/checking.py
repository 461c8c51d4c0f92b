"""Comparison of exported graphs with PyTorch."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch
from mmpose.codecs.base import BaseKeypointCodec
from onnx import GraphProto, ModelProto, numpy_helper
from onnx.utils import Extractor
from torch import nn

from fpd_mmpose.deploy.model_info import decode_maps
from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.export.codec_settings import codec_of
from fpd_mmpose.export.exportable import TRACED, ExportedNetwork

#: Sizes of the batches that are compared.
BATCHES = (1, 3)
#: Input pixels by which keypoints may differ from those of the codec.
_PIXELS = 0.01
#: The share of the highest value by which scores may differ.
_SCORES = 1e-3
#: People whose targets are decoded.
_PEOPLE = 4


def open_session(graph: ModelProto) -> onnxruntime.InferenceSession:
    """Opens a graph in ONNX Runtime on the CPU, without warnings."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=['CPUExecutionProvider']
    )


def compare(
    graph: ModelProto, network: ExportedNetwork, batches: Sequence[int] = BATCHES
) -> tuple[float, float]:
    """Runs a graph and its network on the same noise, in batches of several sizes.

    Returns the largest difference of the predicted maps, which must be the graph's
    first outputs, and their highest absolute value in PyTorch. Targets of the model's
    codec, decoded in the graph and as :class:`PoseSession` does, must give the codec's
    keypoints: noise has peaks that hang on its last bits.
    """
    try:
        session = open_session(graph)
    except Exception as error:
        raise UserError(
            f'ONNX Runtime cannot read the graph: {first_line(error)}'
        ) from error
    difference = peak = 0.0
    names = list(network.info.maps)
    for batch in batches:
        inputs = network.sample(batch, seed=batch)
        with torch.no_grad():
            expected = [maps.numpy() for maps in network(inputs)[: len(names)]]
        found = _run(session, graph, network, inputs.numpy())[: len(names)]
        for name, one, truth in zip(names, found, expected, strict=True):
            if one.shape != truth.shape:
                raise UserError(
                    f'the graph returns {name} of shape {one.shape}, and PyTorch of '
                    f'shape {truth.shape}'
                )
            # Unlike max(), this keeps NaN.
            difference = np.maximum(difference, np.abs(one - truth).max())
            peak = np.maximum(peak, np.abs(truth).max())
    _check_decoding(graph, network)
    return float(difference), float(peak)


def _run(
    session: onnxruntime.InferenceSession,
    graph: ModelProto,
    network: ExportedNetwork,
    inputs: np.ndarray,
) -> list[np.ndarray]:
    name = session.get_inputs()[0].name
    try:
        return session.run(None, {name: inputs})
    except Exception as error:  # of many types, none of them public
        reason = first_line(error)
    try:
        session.run(None, {name: network.sample(TRACED).numpy()})
    except Exception as error:
        raise UserError(f'ONNX Runtime cannot run the graph: {reason}') from error
    raise frozen_error(graph.graph, network, TRACED)


def _check_decoding(graph: ModelProto, network: ExportedNetwork) -> None:
    info, codec = network.info, codec_of(network.network.model)
    maps = _targets(codec, len(info.joints))
    expected, scores = _decoded(codec, maps)
    results = [decode_maps(info, *maps)]
    if info.decoded:
        # The part of the graph behind the maps.
        names = list(info.maps)
        decoder = Extractor(graph).extract_model(names, ['keypoints', 'scores'])
        inputs = dict(zip(names, maps, strict=True))
        keypoints, found = open_session(decoder).run(None, inputs)
        results.append((keypoints, found))
    for keypoints, found in results:
        away = np.abs(keypoints - expected).max()
        difference = np.abs(found - scores).max() / np.abs(scores).max()
        if not (away <= _PIXELS and difference <= _SCORES):
            raise UserError(
                'the network was not exported: its outputs are not decoded as '
                f'{info.codec} does; keypoints differ by {away:.3g} pixels, scores by '
                f'{difference:.2%}'
            )


def _targets(codec: BaseKeypointCodec, joints: int) -> list[np.ndarray]:
    """Makes maps with clear peaks at random places, of several people."""
    random = np.random.default_rng(0)
    people = []
    for _ in range(_PEOPLE):
        share = random.uniform(0.05, 0.95, (1, joints, 2))
        keypoints = (share * codec.input_size).astype(np.float32)
        encoded = codec.encode(keypoints, np.ones((1, joints), np.float32))
        if 'heatmaps' in encoded:
            people.append([encoded['heatmaps']])
        else:
            people.append([encoded[f'keypoint_{axis}_labels'][0] for axis in 'xy'])
    maps = [np.stack(each).astype(np.float32) for each in zip(*people, strict=True)]
    # Some noise, because equal values have no one maximum.
    return [
        each + 1e-3 * each.max() * random.random(each.shape, np.float32)
        for each in maps
    ]


def _decoded(
    codec: BaseKeypointCodec, maps: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes with MMPose: keypoints (N, K, 2) in input pixels, and scores (N, K)."""
    people = []
    for each in zip(*maps, strict=True):
        # SimCC has an axis for the person, and codecs may write to what they get.
        given = [one[None].copy() if len(maps) > 1 else one.copy() for one in each]
        people.append(codec.decode(*given))
    keypoints = np.concatenate([found for found, _ in people])
    # SimCC may also decode the visibility.
    scores = [found[0] if isinstance(found, tuple) else found for _, found in people]
    return keypoints, np.concatenate(scores)


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
