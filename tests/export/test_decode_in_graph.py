"""Decoding in the graph equals that of the codecs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fpd_mmpose.decoding import DECODERS, OFFSETS
from fpd_mmpose.deploy import ModelInfo
from fpd_mmpose.deploy.model_info import decode_maps
from fpd_mmpose.export import trace_to_onnx
from fpd_mmpose.export.decode import Decode
from tests.helpers.export_data import run_all
from tests.helpers.heatmaps import (
    BINS,
    CODECS,
    INPUT,
    SIZE,
    decoded_by_mmpose,
    smooth_outputs,
)

WIDTH, HEIGHT = SIZE
#: Those that only compare and move by quarters.
EXACT = ['FPDHeatmap', 'MSRAHeatmap']


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


def described(codec: str, joints: int) -> ModelInfo:
    return ModelInfo(
        joints=tuple(map(str, range(joints))),
        links=(),
        flip_indices=tuple(range(joints)),
        input_size=INPUT,
        heatmap_size=BINS if codec == 'SimCCLabel' else SIZE,
        channel_order='bgr',
        mean=(0, 0, 0),
        std=(1, 1, 1),
        codec=codec,
        **CODECS[codec][1],
    )


def in_graph(
    info: ModelInfo, maps: list[np.ndarray], path: Path
) -> tuple[np.ndarray, np.ndarray]:
    sample = tuple(torch.rand(2, *shape) for shape in info.maps.values())
    trace_to_onnx(Decode(info), sample, path, list(info.maps), ['keypoints', 'scores'])
    found = run_all(path, dict(zip(info.maps, maps, strict=True)))
    return found['keypoints'], found['scores']


@pytest.mark.parametrize('codec', EXACT)
def test_quarters_are_those_of_the_codec_bit_for_bit(
    codec: str, tmp_path: Path
) -> None:
    maps = [np.concatenate([peaks(), special()])]
    found = in_graph(described(codec, 1), maps, tmp_path / 'decode.onnx')
    for one, expected in zip(found, decoded_by_mmpose(codec, maps), strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize('codec', DECODERS)
def test_peaks_are_found_where_mmpose_finds_them(codec: str, tmp_path: Path) -> None:
    maps = smooth_outputs(codec)
    keypoints, scores = in_graph(described(codec, 5), maps, tmp_path / 'decode.onnx')
    expected = decoded_by_mmpose(codec, maps)
    np.testing.assert_allclose(keypoints, expected[0], atol=2e-3)
    np.testing.assert_allclose(scores, expected[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('codec', DECODERS)
def test_unclear_heatmaps_are_decoded_as_without_the_graph(
    codec: str, tmp_path: Path
) -> None:
    if codec == 'SimCCLabel':
        maps = [np.random.rand(6, 1, count).astype(np.float32) for count in BINS]
        for each in maps:
            each[:3] = np.array([0, -1, 1])[:, None, None]
    else:
        maps = [np.repeat(special(), 3 if codec == OFFSETS else 1, axis=1)]
    info = described(codec, 1)
    keypoints, scores = in_graph(info, maps, tmp_path / 'decode.onnx')
    expected = decode_maps(info, *maps)
    np.testing.assert_allclose(scores, expected[1], atol=2e-3)
    if codec == OFFSETS:
        # It blurs first. In a heatmap of ones, rounding then says where the maximum is.
        unclear = [bool((each == 1).all()) for each in maps[0]]
        keypoints[unclear] = expected[0][unclear]
    np.testing.assert_allclose(keypoints, expected[0], atol=2e-3)
