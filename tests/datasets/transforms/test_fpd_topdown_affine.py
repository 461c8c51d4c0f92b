"""Crops equal those of the reference, and of MMPose but for rounding."""

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import RandomFlip, TopdownAffine
from mmpose.registry import TRANSFORMS

from fpd_mmpose.datasets import FPDTopdownAffine


def person(rotation: float | None = None) -> dict:
    random = np.random.RandomState(3)
    results = dict(
        img=random.randint(256, size=(120, 160, 3), dtype=np.uint8),
        bbox_center=np.array([[70.3, 55.8]]),
        bbox_scale=np.array([[90.5, 60.2]]),
        keypoints=random.uniform(0, 120, (1, 16, 2)),
        keypoints_visible=np.ones((1, 16)),
    )
    if rotation is not None:
        results['bbox_rotation'] = np.array([rotation])
    return results


@pytest.mark.parametrize('rotation', [None, 0.0, 31.0, -75.0])
@pytest.mark.parametrize('size', [(64, 64), (48, 64)])
def test_it_equals_topdown_affine_but_for_rounding(rotation, size):
    mine = TRANSFORMS.build(dict(type='FPDTopdownAffine', input_size=size))(
        person(rotation)
    )
    stock = TopdownAffine(size)(person(rotation))
    assert mine['img'].shape == (size[1], size[0], 3)
    difference = np.abs(mine['img'].astype(int) - stock['img'])
    assert np.mean(difference > 0) < 0.02
    assert mine['keypoints_visible'].shape == stock['keypoints_visible'].shape
    for name in ('transformed_keypoints', 'bbox_scale', 'input_center', 'input_scale'):
        np.testing.assert_allclose(mine[name], stock[name], atol=1e-3)
    assert mine['input_size'] == stock['input_size'] == size


def test_the_box_gets_the_aspect_ratio_of_the_input():
    found = FPDTopdownAffine((48, 64))(person())
    np.testing.assert_allclose(found['input_scale'], [90.5, 90.5 * 64 / 48])
    np.testing.assert_array_equal(found['input_center'], [70.3, 55.8])


def test_the_corners_of_an_upright_box_map_to_those_of_the_crop():
    results = person()
    results['keypoints'] = np.array([[[25.05, 10.55], [115.55, 101.05]]])
    found = FPDTopdownAffine((64, 64))(results)['transformed_keypoints']
    np.testing.assert_allclose(found, [[[0, 0], [64, 64]]], atol=1e-4)


def test_rotation_is_about_the_center():
    results = person(90.0)
    results['keypoints'] = np.array([[[70.3, 55.8], [80.3, 55.8]]])
    center, right = FPDTopdownAffine((64, 64))(results)['transformed_keypoints'][0]
    np.testing.assert_allclose(center, [32, 32], atol=1e-4)
    np.testing.assert_allclose(right, [32, 32 - 10 * 64 / 90.5], atol=1e-4)


@pytest.mark.parametrize('axes', [(1,), (0,), (0, 1)])
@pytest.mark.parametrize('shape', [(120, 160, 3), (120, 160)])
def test_a_mirrored_view_has_the_same_crop_as_its_copy(axes, shape):
    """``RandomFlip`` mirrors without copying."""
    image = np.random.randint(256, size=shape, dtype=np.uint8)
    view, copy = person(20.0), person(20.0)
    view['img'] = np.flip(image, axes)
    copy['img'] = view['img'].copy()
    view, copy = (FPDTopdownAffine((64, 64))(one)['img'] for one in (view, copy))
    np.testing.assert_array_equal(view, copy)
    assert view.any()


def test_pixels_outside_the_image_are_black():
    results = person()
    results['bbox_center'] = np.array([[0.0, 0.0]])
    crop = FPDTopdownAffine((64, 64))(results)['img']
    assert not crop[:31].any() and not crop[:, :31].any() and crop[33:, 33:].any()


def test_keypoints_are_optional_for_inference():
    mine, stock = person(), person()
    del mine['keypoints'], stock['keypoints']
    mine, stock = FPDTopdownAffine((64, 64))(mine), TopdownAffine((64, 64))(stock)
    for name in ('transformed_keypoints', 'keypoints_visible'):
        np.testing.assert_array_equal(mine[name], stock[name])


def test_several_boxes_are_an_error():
    results = person()
    results['bbox_center'] = np.zeros((2, 2))
    with pytest.raises(ValueError, match='crops one box, got 2'):
        FPDTopdownAffine((64, 64))(results)


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_warp_mat_maps_from_the_image_before_the_flip(direction):
    keypoints = np.array([[[30.0, 40.0], [70.5, 20.0]]])
    results = dict(
        img=np.zeros((90, 121, 3), np.uint8),
        img_shape=(90, 121),
        bbox_center=np.array([[50.0, 40.0]]),
        bbox_scale=np.array([[60.0, 60.0]]),
        bbox_rotation=np.array([20.0]),
        keypoints=keypoints.copy(),
        keypoints_visible=np.ones((1, 2)),
        flip_indices=[0, 1],
    )
    results = RandomFlip(1.0, direction)(results)
    found = FPDTopdownAffine((64, 64))(results)
    expected = cv2.transform(keypoints, found['warp_mat'])
    np.testing.assert_allclose(found['transformed_keypoints'], expected, atol=1e-4)
