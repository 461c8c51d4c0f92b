"""Decoding in the graph equals that of the codecs, bit for bit."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from fpd_mmpose.deploy import ModelInfo
from fpd_mmpose.export import trace_to_onnx
from fpd_mmpose.export.decode import Decode

WIDTH, HEIGHT = 12, 16


def peaks() -> np.ndarray:
    """Makes heatmaps with a maximum at each pixel in turn, over random neighbors."""
    heatmaps = np.random.rand(WIDTH * HEIGHT, 1, HEIGHT, WIDTH).astype(np.float32)
    pixels = np.arange(WIDTH * HEIGHT)
    heatmaps.reshape(len(pixels), -1)[pixels, pixels] = 2
    return heatmaps


def special() -> np.ndarray:
    """Makes heatmaps without a clear maximum."""
    shape = (HEIGHT, WIDTH)
    one = np.zeros(shape, np.float32)
    one[5, 4] = one[5, 7] = one[9, 4] = 1  # ties: the first counts
    flat = np.zeros(shape, np.float32)
    flat[4:7, 4:7] = 1  # no slope
    negative = -np.random.rand(*shape).astype(np.float32)
    return np.stack(
        [one, flat, negative, np.zeros(shape), np.ones(shape), -np.ones(shape)]
    ).astype(np.float32)[:, None]


@pytest.mark.parametrize('codec', ['FPDHeatmap', 'MSRAHeatmap'])
def test_it_decodes_like_the_codec(codec: str, tmp_path: Path) -> None:
    info = ModelInfo(
        joints=('one',),
        links=(),
        flip_indices=(0,),
        input_size=(48, 64),
        heatmap_size=(WIDTH, HEIGHT),
        channel_order='bgr',
        mean=(0, 0, 0),
        std=(1, 1, 1),
        codec=codec,
    )
    path = tmp_path / 'decode.onnx'
    sample = torch.rand(2, 1, HEIGHT, WIDTH)
    trace_to_onnx(Decode(info), sample, path, ['heatmaps'], ['keypoints', 'scores'])
    sizes = dict(input_size=info.input_size, heatmap_size=info.heatmap_size)
    reference = KEYPOINT_CODECS.build(dict(type=codec, sigma=2, **sizes))
    heatmaps = np.concatenate([peaks(), special()])
    session = onnxruntime.InferenceSession(str(path))
    keypoints, scores = session.run(None, {'heatmaps': heatmaps})
    assert keypoints.shape == (len(heatmaps), 1, 2)
    for one, found, score in zip(heatmaps, keypoints, scores, strict=True):
        expected, expected_score = reference.decode(one)
        np.testing.assert_array_equal(found, expected[0])
        np.testing.assert_array_equal(score, expected_score[0])
