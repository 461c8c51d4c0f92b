"""A graph in ONNX Runtime beside the network in PyTorch."""

import numpy as np
import onnxruntime
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS
from onnx import ModelProto

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.exportable import ExportedNetwork

#: Batches that are compared.
BATCHES = (1, 3)
#: Input pixels between keypoints of the graph and of the codec.
_PIXELS = 1e-3


def session(graph: ModelProto) -> onnxruntime.InferenceSession:
    """Opens a graph on the CPU, quietly.

    Args:
        graph (ModelProto): The graph.

    Returns:
        onnxruntime.InferenceSession: Ready to run.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=['CPUExecutionProvider']
    )


def compare(graph: ModelProto, network: ExportedNetwork) -> tuple[float, float]:
    """Runs both on the same noise.

    Args:
        graph (ModelProto): It gives the heatmaps first.
        network (ExportedNetwork): What it was made of.

    Returns:
        tuple[float, float]: The largest difference of the heatmaps, and their highest
        absolute value in PyTorch.

    Raises:
        ValueError: If the graph cannot be run, or its keypoints are not those that the
            codec finds in its heatmaps. One line.
    """
    try:
        runtime = session(graph)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f'ONNX Runtime cannot read the graph: {reason}') from error
    difference = peak = 0.0
    name = runtime.get_inputs()[0].name
    for batch in BATCHES:
        inputs = network.sample(batch, seed=batch)
        with torch.no_grad():
            expected = network(inputs)[0].numpy()
        heatmaps, *decoded = runtime.run(None, {name: inputs.numpy()})
        _check_shape(heatmaps, expected.shape)
        if decoded:
            _check_decoding(network.info, heatmaps, *decoded)
        # max() would pass over what is not a number.
        difference = np.maximum(difference, np.abs(heatmaps - expected).max())
        peak = np.maximum(peak, np.abs(expected).max())
    return float(difference), float(peak)


def _check_shape(heatmaps: np.ndarray, expected: tuple[int, ...]) -> None:
    if heatmaps.shape != expected:
        raise ValueError(
            f'the graph gives heatmaps of shape {heatmaps.shape}, PyTorch of {expected}'
        )


def _check_decoding(
    info: ModelInfo, heatmaps: np.ndarray, keypoints: np.ndarray, scores: np.ndarray
) -> None:
    codec = codec_of(info)
    for one, found, score in zip(heatmaps, keypoints, scores, strict=True):
        expected, expected_score = codec.decode(one)
        away = np.abs(found - expected[0]).max()
        if not away <= _PIXELS or not np.array_equal(score, expected_score[0]):
            raise ValueError(
                f'the graph decodes its heatmaps otherwise than {info.codec}: '
                f'keypoints differ by {away:.3g} pixels'
            )


def codec_of(info: ModelInfo) -> MSRAHeatmap:
    """Makes the codec that a file names.

    Args:
        info (ModelInfo): Of the file.

    Returns:
        MSRAHeatmap: It decodes as the file is to be decoded.
    """
    sizes = dict(input_size=info.input_size, heatmap_size=info.heatmap_size)
    return KEYPOINT_CODECS.build(dict(type=info.codec, sigma=2, **sizes))
