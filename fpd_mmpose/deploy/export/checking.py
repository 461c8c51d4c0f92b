"""A graph in ONNX Runtime beside the network in PyTorch."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from mmpose.registry import KEYPOINT_CODECS

from ..model_info import ModelInfo
from .network import ExportedNetwork

#: Batches that are compared.
BATCHES = (1, 3)
#: Input pixels between keypoints of the graph and of the codec.
_PIXELS = 1e-3


def session(path: str | Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Opens a graph on the CPU, quietly.

    Args:
        path (str | Path): Of the file.
        threads (int): That a layer may use; by default as many as there are cores.

    Returns:
        onnxruntime.InferenceSession: Ready to run.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        str(path), options, providers=['CPUExecutionProvider']
    )


def compare(path: str | Path, network: ExportedNetwork) -> tuple[float, float]:
    """Runs both on the same noise.

    Args:
        path (str | Path): A graph that gives the heatmaps first.
        network (ExportedNetwork): What it was made of.

    Returns:
        tuple[float, float]: The largest difference of the heatmaps, and their highest
        absolute value in PyTorch.

    Raises:
        ValueError: If the graph cannot be run, or its keypoints are not those that the
            codec finds in its heatmaps. One line.
    """
    try:
        runtime = session(path)
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
    codec = KEYPOINT_CODECS.build(
        dict(
            type=info.codec,
            input_size=info.input_size,
            heatmap_size=info.heatmap_size,
            sigma=2,
        )
    )
    for one, found, score in zip(heatmaps, keypoints, scores, strict=True):
        expected, expected_score = codec.decode(one)
        away = np.abs(found - expected[0]).max()
        if not away <= _PIXELS or not np.array_equal(score, expected_score[0]):
            raise ValueError(
                f'the graph decodes its heatmaps otherwise than {info.codec}: '
                f'keypoints differ by {away:.3g} pixels'
            )
