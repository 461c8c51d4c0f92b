"""Crops have the same numbers as MMPose's, bit for bit."""

import numpy as np
import pytest
from mmpose.datasets.transforms import TopdownAffine
from mmpose.structures.bbox import (
    bbox_xyxy2cs,
    get_udp_warp_matrix,
    get_warp_matrix,
)

from fpd_mmpose.geometry import (
    UDP_CROP,
    WARPS,
    box_center_scale,
    fit_aspect_ratio,
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
