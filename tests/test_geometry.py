"""Crops have the same numbers as MMPose's, bit for bit."""

import zlib

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import TopdownAffine
from mmpose.structures.bbox import (
    bbox_xyxy2cs,
    get_udp_warp_matrix,
    get_warp_matrix,
)

from fpd_mmpose import geometry
from fpd_mmpose.geometry import (
    MAX_SIDE,
    UDP_CROP,
    WARPS,
    box_center_scale,
    crop_box,
    fit_aspect_ratio,
    reference_crop,
    reference_warp,
    stock_warp,
    to_image,
    udp_warp,
)


def boxes(dtype: type) -> np.ndarray:
    corners = np.random.uniform(-50, 900, (200, 2))
    sizes = np.random.uniform(0.5, 600, (200, 2))
    return np.hstack([corners, corners + sizes]).astype(dtype)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('padding', [1.0, 1.25])
def test_centers_and_scales_equal_mmposes(dtype, padding):
    people = boxes(dtype)
    for found, expected in zip(
        box_center_scale(people, padding), bbox_xyxy2cs(people, padding), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('size', [(64, 64), (192, 256), (288, 384), (100, 30)])
def test_boxes_get_the_aspect_ratio_of_the_crop_as_in_mmpose(dtype, size):
    scale = np.random.uniform(1, 600, (200, 2)).astype(dtype)
    found = fit_aspect_ratio(scale, size)
    expected = TopdownAffine._fix_aspect_ratio(scale, size[0] / size[1])
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert (found >= scale).all()


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('rotation', [0.0, 30.0, -75.5])
def test_the_stock_map_equals_mmposes(dtype, rotation):
    for center, scale in np.random.uniform(1, 600, (100, 2, 2)).astype(dtype):
        np.testing.assert_array_equal(
            stock_warp(center, scale, rotation, (192, 256)),
            get_warp_matrix(center, scale, rotation, (192, 256)),
        )


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('rotation', [0.0, 30.0, -75.5])
def test_the_map_of_udp_equals_mmposes(dtype, rotation):
    for center, scale in np.random.uniform(1, 600, (100, 2, 2)).astype(dtype):
        found = udp_warp(center, scale, rotation, (192, 256))
        expected = get_udp_warp_matrix(center, scale, rotation, (192, 256))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
        if not rotation:  # as for crops
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('name', [name for name in WARPS if name != UDP_CROP])
def test_mapping_back_to_the_image_undoes_the_crop(name):
    size = (192, 256)
    center, scale = box_center_scale(boxes(np.float32), 1.25)
    scale = fit_aspect_ratio(scale, size)
    inside = np.random.uniform(0, size, (len(scale), 5, 2)).astype(np.float32)
    found = to_image(inside, center, scale, size)
    assert found.dtype == np.float32
    for points, crop, *box in zip(found, inside, center, scale, strict=True):
        warp = WARPS[name](*box, 0.0, size)
        mapped = points @ warp[:, :2].T + warp[:, 2]
        np.testing.assert_allclose(mapped, crop, atol=0.1)


# --- Pixels of the reference, with OpenCV 4 and 5 -------------------------------------

#: Maps that turn, enlarge, shrink, mirror, or leave the image.
MAPS = np.array(
    [
        [[0.5, 0.125, -20.3], [-0.125, 0.5, 40.7]],
        [[3.1, -1.7, -300.0], [1.7, 3.1, -500.9]],
        [[0.07, 0.0, 3.0], [0.0, 0.07, 5.5]],
        [[-1.3, 0.2, 200.1], [0.2, 1.3, -90.0]],
        [[1e-3, 0.0, 30.0], [0.0, 1e-3, 30.0]],
        [[1.0, 0.0, 5000.0], [0.0, 1.0, 0.25]],
        [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]],  # without an inverse
    ]
)


def noise() -> np.ndarray:
    grid = np.indices((240, 320, 3)).astype(np.uint64)
    return (((grid[0] * 7919 + grid[1] * 104729 + grid[2] * 31) ** 2) >> 7).astype(
        np.uint8
    )


@pytest.mark.parametrize('channels', [1, 3])
def test_the_pixels_of_the_reference_are_those_of_opencv_4(channels, monkeypatch):
    monkeypatch.setattr(geometry, '_ROUNDS', False)
    image = np.ascontiguousarray(noise()[..., :channels])
    crops = [reference_crop(image, warp, (64, 48)) for warp in MAPS]
    if cv2.__version__ < '5':
        for warp, crop in zip(MAPS, crops, strict=True):
            np.testing.assert_array_equal(crop, cv2.warpAffine(image, warp, (64, 48)))
    found = zlib.crc32(b''.join(crop.tobytes() for crop in crops))
    assert found == {1: 3983433304, 3: 2634670455}[channels]


def test_the_crops_of_the_reference_are_written_to_a_given_array(monkeypatch):
    warp = reference_warp(np.full(2, 90.0), np.full(2, 150.0), 20.0, (64, 64))
    for rounds in (True, False):
        monkeypatch.setattr(geometry, '_ROUNDS', rounds)
        out = np.zeros((64, 64, 3), np.uint8)
        assert reference_crop(noise(), warp, (64, 64), out) is out
        np.testing.assert_array_equal(out, reference_crop(noise(), warp, (64, 64)))
        assert out.any()


# --- Images that OpenCV does not warp ------------------------------------------------


def long_image(side: int, axis: int) -> np.ndarray:
    """Wide for axis 1 and tall for axis 0; smooth, so that rounding changes little."""
    shape = (side, 40, 3) if axis == 0 else (40, side, 3)
    grid = np.indices(shape).sum(0) + np.indices(shape)[2] * 30
    return (127 + 120 * np.sin(grid / 9)).astype(np.uint8)


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('name', WARPS)
@pytest.mark.parametrize('rotation', [0.0, 31.0])
@pytest.mark.parametrize('place', [5.0, 20_000.0, 39_990.0])
def test_a_crop_of_a_long_image_is_that_of_its_part(axis, name, rotation, place):
    image = long_image(40_000, axis)
    center, scale = np.full(2, 20.0), np.full(2, 60.0)
    center[1 - axis] = place
    warp = WARPS[name](center, scale, rotation, (64, 64)).astype(np.float64)
    found = crop_box(image, warp, (64, 64))
    start = np.zeros(2)
    start[1 - axis] = np.clip(place - 500, 0, 39_000)
    part = np.take(image, np.arange(start.max(), start.max() + 1000, dtype=int), axis)
    warp[:, 2] += warp[:, :2] @ start
    expected = cv2.warpAffine(part, warp, (64, 64))
    assert found.any()
    np.testing.assert_allclose(found, expected, atol=1)  # sums are rounded in float64


@pytest.mark.parametrize('axis', [0, 1])
def test_a_box_that_is_too_long_itself_is_shrunk(axis):
    waves = 127 + 120 * np.sin(np.arange(40_000) / 300)
    image = np.tile(np.expand_dims(waves, 1 - axis), (8, 1) if axis else (1, 8))
    size = (2000, 8) if axis else (8, 2000)
    warp = np.eye(2, 3)
    warp[1 - axis, 1 - axis] = 1 / 20
    found = crop_box(image.astype(np.uint8), warp, size)
    expected = np.take(image, np.arange(0, 40_000, 20), axis)
    # The first pixel lies on the border, which is a mixture with black.
    found, expected = (np.delete(each, 0, axis) for each in (found, expected))
    np.testing.assert_allclose(found, expected, atol=2)


def test_a_crop_outside_a_long_image_is_black():
    image = np.full((8, 40_000), 255, np.uint8)
    warp = stock_warp(np.array([50_000.0, 4.0]), np.array([60.0, 60.0]), 0, (32, 32))
    assert not crop_box(image, warp, (32, 32)).any()


def test_the_longest_side_that_opencv_warps_is_not_cut(monkeypatch):
    monkeypatch.setattr(cv2, 'invertAffineTransform', None)  # the first step of cutting
    image = np.full((2, MAX_SIDE, 3), 255, np.uint8)
    warp = np.array([[1, 0, 1 - MAX_SIDE], [0, 1, 0]], np.float64)
    out = np.zeros((2, 2, 3), np.uint8)
    assert crop_box(image, warp, (2, 2), out) is out
    assert out.any(axis=-1).tolist() == [[True, False]] * 2
