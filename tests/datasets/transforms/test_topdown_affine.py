"""MMPose's crop, from images that OpenCV does not warp too."""

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomFlip
from mmpose.datasets.transforms import TopdownAffine as StockTopdownAffine
from mmpose.registry import TRANSFORMS

from fpd_mmpose.datasets.transforms import TopdownAffine

LONG = 40_000


def person(image: np.ndarray, x: float, rotation: float = 0.0) -> dict:
    return dict(
        img=image,
        bbox_center=np.array([[x, 20.0]]),
        bbox_scale=np.array([[50.5, 30.2]]),
        bbox_rotation=np.array([rotation]),
        keypoints=np.array([[[x, 20.0], [x + 9, 31.0]]]),
        keypoints_visible=np.ones((1, 2)),
    )


@pytest.fixture
def image() -> np.ndarray:
    """40 x 1000 pixels."""
    return np.random.default_rng(0).integers(0, 256, (40, 1000, 3), np.uint8)


def test_configs_get_it_under_the_name_of_mmpose():
    built = TRANSFORMS.build(dict(type='TopdownAffine', input_size=(48, 64)))
    assert type(built) is TopdownAffine
    assert repr(built) == repr(StockTopdownAffine((48, 64)))


@pytest.mark.parametrize('use_udp', [False, True])
def test_usual_images_are_cropped_by_mmpose(image, use_udp):
    found, expected = (
        kind((48, 64), use_udp=use_udp).transform(person(image, 500.3, 31.0))
        for kind in (TopdownAffine, StockTopdownAffine)
    )
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize('use_udp', [False, True])
def test_a_wide_image_is_cropped_as_its_part(image, use_udp):
    wide = np.zeros((40, LONG, 3), np.uint8)
    wide[:, -1000:] = image
    # Whole numbers, because float32 has fewer digits for larger ones.
    found = TopdownAffine((48, 64), use_udp).transform(person(wide, LONG - 500.0))
    expected = StockTopdownAffine((48, 64), use_udp).transform(person(image, 500.0))
    difference = np.abs(found['img'].astype(int) - expected['img'])
    assert found['img'].shape == (64, 48, 3) and difference.mean() < 1
    for name in ('transformed_keypoints', 'bbox_scale', 'input_scale'):
        np.testing.assert_allclose(found[name], expected[name], atol=0.02)


@pytest.mark.parametrize('kind', ['TopdownAffine', 'FPDTopdownAffine'])
def test_a_mirrored_wide_image_is_cropped(image, kind):
    wide = np.zeros((40, LONG, 3), np.uint8)
    wide[:, :1000] = image
    results = person(wide, 500.0) | dict(flip_indices=[1, 0], img_shape=(40, LONG))
    results['bbox'] = np.array([[480.0, 5, 520, 35]])
    results = RandomFlip(prob=1.0)(results)
    assert results['bbox_center'][0, 0] > LONG - 1000
    crop = TRANSFORMS.build(dict(type=kind, input_size=(48, 64)))
    assert crop(results)['img'].mean() > 40
