"""Comparison of exported graphs with PyTorch."""

import numpy as np
import onnxruntime
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS
from onnx import ModelProto

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.exportable import ExportedNetwork

#: Sizes of the batches that are compared.
BATCHES = (1, 3)
#: Input pixels by which keypoints of the graph may differ from those of the codec.
_PIXELS = 1e-3


def open_session(graph: ModelProto) -> onnxruntime.InferenceSession:
    """Opens a graph in ONNX Runtime on the CPU, without warnings."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=['CPUExecutionProvider']
    )


def compare(graph: ModelProto, network: ExportedNetwork) -> tuple[float, float]:
    """Runs a graph and its network on the same noise.

    Returns the largest difference of the heatmaps, which must be the graph's first
    output, and their highest absolute value in PyTorch.
    """
    try:
        session = open_session(graph)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f'ONNX Runtime cannot read the graph: {reason}') from error
    difference = peak = 0.0
    name = session.get_inputs()[0].name
    for batch in BATCHES:
        inputs = network.sample(batch, seed=batch)
        with torch.no_grad():
            expected = network(inputs)[0].numpy()
        heatmaps, *decoded = session.run(None, {name: inputs.numpy()})
        if heatmaps.shape != expected.shape:
            raise UserError(
                f'the graph returns heatmaps of shape {heatmaps.shape}, and PyTorch of '
                f'shape {expected.shape}'
            )
        if decoded:
            _check_decoding(network.info, heatmaps, *decoded)
        # Unlike max(), this keeps NaN.
        difference = np.maximum(difference, np.abs(heatmaps - expected).max())
        peak = np.maximum(peak, np.abs(expected).max())
    return float(difference), float(peak)


def _check_decoding(
    info: ModelInfo, heatmaps: np.ndarray, keypoints: np.ndarray, scores: np.ndarray
) -> None:
    codec = codec_of(info)
    for each, found, score in zip(heatmaps, keypoints, scores, strict=True):
        expected, expected_score = codec.decode(each)
        distance = np.abs(found - expected[0]).max()
        if not distance <= _PIXELS or not np.array_equal(score, expected_score[0]):
            raise UserError(
                f'the graph does not decode its heatmaps as {info.codec} does: '
                f'keypoints differ by {distance:.3g} pixels'
            )


def codec_of(info: ModelInfo) -> MSRAHeatmap:
    """Builds the codec of an exported network."""
    sizes = dict(input_size=info.input_size, heatmap_size=info.heatmap_size)
    return KEYPOINT_CODECS.build(dict(type=info.codec, sigma=2, **sizes))
