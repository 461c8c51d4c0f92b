"""Decoding equals that of the codecs; tests/codecs compares it with the reference."""

import cv2
import numpy as np
import pytest

from fpd_mmpose.decoding import DARK, DECODERS
from fpd_mmpose.decoding.smoothing import blur_matrix
from tests.helpers.heatmaps import CODECS, codec, decoded_by_mmpose, smooth_outputs

EXACT = ['FPDHeatmap', 'MSRAHeatmap']
OTHERS = [name for name in DECODERS if name not in EXACT]


def heatmaps() -> np.ndarray:
    """Random heatmaps with maxima everywhere, many at the borders, and empty ones."""
    maps = np.random.randn(8, 100, 32, 24).astype(np.float32)
    rows = np.random.randint(32, size=(8, 100, 1))
    columns = np.random.randint(24, size=(8, 100, 1))
    rows[:3] = np.random.choice([0, 1, 2, 29, 30, 31], size=(3, 100, 1))
    columns[2:5] = np.random.choice([0, 1, 2, 21, 22, 23], size=(3, 100, 1))
    np.put_along_axis(
        maps.reshape(8, 100, -1), rows * 24 + columns, np.float32(9), axis=2
    )
    maps[6, :50] = -np.abs(maps[6, :50])
    maps[7, :50] = 0
    maps[7, 50:] = 1  # the first of equal values wins
    return maps


def decoded(name: str, maps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    settings = dict(CODECS[name][1])
    settings.pop('split_ratio', None)
    return DECODERS[name](*maps, **settings)


def pixel(name: str) -> np.ndarray:
    """A pixel of the heatmaps, or a bin, in input pixels."""
    given = codec(name)
    if name == 'SimCCLabel':
        return np.full(2, 1 / given.simcc_split_ratio)
    if 'UDP' in name:
        return np.divide(given.input_size, np.subtract(given.heatmap_size, 1))
    return given.scale_factor


@pytest.mark.parametrize('name', EXACT)
def test_a_batch_is_decoded_like_single_heatmaps(name):
    maps = heatmaps()
    before = maps.copy()
    keypoints, scores = DECODERS[name](maps)
    assert keypoints.shape == (8, 100, 2) and scores.shape == (8, 100)
    assert keypoints.dtype == scores.dtype == np.float32
    expected = decoded_by_mmpose(name, [maps])
    np.testing.assert_array_equal(keypoints * codec(name).scale_factor, expected[0])
    np.testing.assert_array_equal(scores, expected[1])
    np.testing.assert_array_equal(maps, before)


@pytest.mark.parametrize('name', OTHERS)
def test_peaks_between_pixels_are_found_where_mmpose_finds_them(name):
    maps = smooth_outputs(name)
    before = [each.copy() for each in maps]
    keypoints, scores = decoded(name, maps)
    assert keypoints.dtype == scores.dtype == np.float32
    expected = decoded_by_mmpose(name, maps)
    np.testing.assert_allclose(keypoints * pixel(name), expected[0], atol=2e-3)
    np.testing.assert_allclose(scores, expected[1], rtol=1e-5, atol=1e-7)
    for each, old in zip(maps, before, strict=True):
        np.testing.assert_array_equal(each, old)


@pytest.mark.parametrize('name', DECODERS)
def test_heatmaps_without_a_positive_value_have_a_place(name):
    maps = [np.zeros_like(each) for each in smooth_outputs(name, 2)]
    for value in (0, -1):
        keypoints, _ = decoded(name, [each + np.float32(value) for each in maps])
        assert (keypoints == (0 if name == 'FPDHeatmap' else -1)).all()


@pytest.mark.parametrize('name', DECODERS)
def test_no_heatmaps_give_no_keypoints(name):
    keypoints, scores = decoded(name, [each[:0] for each in smooth_outputs(name, 1)])
    assert keypoints.shape == (0, 5, 2) and scores.shape == (0, 5)


def test_a_flat_heatmap_is_not_moved():
    keypoints, _ = DECODERS[DARK](np.ones((1, 9, 9), np.float32), (3, 3))
    np.testing.assert_array_equal(keypoints, [[0, 0]])


@pytest.mark.parametrize(('kernel', 'size'), [(3, 9), (7, 9), (11, 9), (17, 40)])
def test_smoothing_is_that_of_opencv(kernel, size):
    image = np.random.rand(size, size + 3).astype(np.float32)
    for mirrored, border in (
        (True, cv2.BORDER_REFLECT_101),
        (False, cv2.BORDER_CONSTANT),
    ):
        rows = blur_matrix(size, kernel, mirrored)
        found = rows @ image @ blur_matrix(size + 3, kernel, mirrored).T
        expected = cv2.GaussianBlur(image, (kernel, kernel), 0, borderType=border)
        np.testing.assert_allclose(found, expected, atol=1e-6)
