"""Comparison of exported graphs with PyTorch."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch
from mmpose.codecs.base import BaseKeypointCodec
from onnx import ModelProto

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.output_decoding import decode_maps
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.codec_settings import codec_of
from fpd_mmpose.export.exportable import TRACED, ExportedNetwork
from fpd_mmpose.export.frozen import frozen_error

#: Sizes of the batches that are compared.
BATCHES = (1, 3)
#: Input pixels by which keypoints may differ from those of the codec.
_PIXELS = 1e-3
#: Smoothed noise can have parabolas that hang on its last bits. Keypoints that a change
#: by this share of the highest value moves may differ by this many times their move.
_LAST_BITS = 1e-6
_TIMES = 20
#: That change is one of many, so that this share of keypoints may still differ.
_UNLUCKY = 0.05


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
    first outputs, and their highest absolute value in PyTorch. Keypoints, decoded in
    the graph and as :class:`PoseSession` does, must be those of the model's codec.
    """
    try:
        session = open_session(graph)
    except Exception as error:
        raise UserError(
            f'ONNX Runtime cannot read the graph: {_first_line(error)}'
        ) from error
    difference = peak = 0.0
    names = list(network.info.maps)
    codec = codec_of(network.network.model)
    for batch in batches:
        inputs = network.sample(batch, seed=batch)
        with torch.no_grad():
            expected = [maps.numpy() for maps in network(inputs)[: len(names)]]
        outputs = _run(session, graph, network, inputs.numpy())
        found, decoded = outputs[: len(names)], outputs[len(names) :]
        for name, one, truth in zip(names, found, expected, strict=True):
            if one.shape != truth.shape:
                raise UserError(
                    f'the graph returns {name} of shape {one.shape}, and PyTorch of '
                    f'shape {truth.shape}'
                )
            # Unlike max(), this keeps NaN.
            difference = np.maximum(difference, np.abs(one - truth).max())
            peak = np.maximum(peak, np.abs(truth).max())
        results = [decode_maps(network.info, *found)]
        if decoded:
            results.append((decoded[0], decoded[1]))
        _check_decoding(network.info, codec, found, results)
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
        reason = _first_line(error)
    try:
        session.run(None, {name: network.sample(TRACED).numpy()})
    except Exception as error:
        raise UserError(f'ONNX Runtime cannot run the graph: {reason}') from error
    raise frozen_error(graph.graph, network, TRACED)


def _check_decoding(
    info: ModelInfo,
    codec: BaseKeypointCodec,
    maps: Sequence[np.ndarray],
    results: Sequence[tuple[np.ndarray, np.ndarray]],
) -> None:
    expected, scores = _decoded(codec, maps)
    noise = np.random.default_rng(0)
    close = [
        each
        + np.float32(_LAST_BITS * np.abs(each).max())
        * noise.standard_normal(each.shape, np.float32)
        for each in maps
    ]
    near, near_scores = _decoded(codec, close)
    allowed = _PIXELS + _TIMES * np.abs(near - expected)
    allowed_scores = _PIXELS * np.abs(scores).max() + np.abs(near_scores - scores)
    share = _UNLUCKY if info.blur_kernel else 0
    # Where nothing is found, MMPose's answer can depend on neighbors in memory.
    positive = scores > 0
    for keypoints, found in results:
        away = np.abs(keypoints - expected)
        wrong = ~(away <= allowed).all(axis=-1)
        wrong |= ~(np.abs(found - scores) <= allowed_scores)
        if wrong[positive].sum() > share * positive.sum():
            raise UserError(
                f'the network was not exported: its outputs are not decoded as '
                f'{info.codec} does; keypoints differ by {away[positive].max():.3g} '
                'pixels'
            )


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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
