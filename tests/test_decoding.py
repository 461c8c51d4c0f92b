"""Decoding equals that of the codecs; tests/codecs compares it with the reference."""

import numpy as np
import pytest
from mmpose.codecs import MSRAHeatmap

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.decoding import DECODERS

SIZES = dict(input_size=(64, 48), heatmap_size=(64, 48), sigma=2)
CODECS = dict(FPDHeatmap=FPDHeatmap(**SIZES), MSRAHeatmap=MSRAHeatmap(**SIZES))


def heatmaps() -> np.ndarray:
    """Random heatmaps with maxima everywhere, many at the borders, and empty ones."""
    maps = np.random.randn(8, 100, 48, 64).astype(np.float32)
    rows = np.random.randint(48, size=(8, 100, 1))
    columns = np.random.randint(64, size=(8, 100, 1))
    rows[:3] = np.random.choice([0, 1, 2, 45, 46, 47], size=(3, 100, 1))
    columns[2:5] = np.random.choice([0, 1, 2, 61, 62, 63], size=(3, 100, 1))
    np.put_along_axis(
        maps.reshape(8, 100, -1), rows * 64 + columns, np.float32(9), axis=2
    )
    maps[6, :50] = -np.abs(maps[6, :50])
    maps[7, :50] = 0
    maps[7, 50:] = 1  # the first of equal values wins
    return maps


@pytest.mark.parametrize('name', DECODERS)
def test_a_batch_is_decoded_like_single_heatmaps(name):
    maps = heatmaps()
    before = maps.copy()
    keypoints, scores = DECODERS[name](maps)
    assert keypoints.shape == (8, 100, 2) and scores.shape == (8, 100)
    assert keypoints.dtype == scores.dtype == np.float32
    for number, one in enumerate(maps):
        expected = CODECS[name].decode(one)
        np.testing.assert_array_equal(keypoints[number], expected[0][0])
        np.testing.assert_array_equal(scores[number], expected[1][0])
    np.testing.assert_array_equal(maps, before)


def test_no_heatmaps_give_no_keypoints():
    keypoints, scores = DECODERS['FPDHeatmap'](np.zeros((0, 16, 48, 64), np.float32))
    assert keypoints.shape == (0, 16, 2) and scores.shape == (0, 16)
