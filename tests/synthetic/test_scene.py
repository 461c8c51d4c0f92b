"""Whole images: determinism and annotations."""

import numpy as np
import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic import draw_person

SIZE = 128
SAMPLES = [draw_person(3, 'train', i, SIZE) for i in range(120)]


def test_the_same_person_has_the_same_pixels():
    # Drawn on its own and out of order.
    for index in (77, 5):
        again = draw_person(3, 'train', index, SIZE)
        np.testing.assert_array_equal(again.image, SAMPLES[index].image)
        np.testing.assert_array_equal(again.joints, SAMPLES[index].joints)


@pytest.mark.parametrize('other', [(4, 'train', 5), (3, 'val', 5), (3, 'train', 6)])
def test_another_seed_split_or_index_gives_another_person(other):
    assert (draw_person(*other, SIZE).image != SAMPLES[5].image).any()


def test_visible_means_inside_the_image():
    for sample in SAMPLES:
        inside = ((sample.joints >= 0) & (sample.joints <= SIZE - 1)).all(1)
        np.testing.assert_array_equal(sample.visible, inside)
        assert inside.sum() >= 10
    hidden = [not sample.visible.all() for sample in SAMPLES]
    assert 0.01 < np.mean(hidden) < 0.25


def test_the_box_covers_the_visible_keypoints_with_a_margin():
    for sample in SAMPLES:
        reach = np.abs(sample.joints[sample.visible] - sample.center).max()
        assert reach <= sample.scale * 200 / 2
        # The box is tight: a keypoint is near its border.
        assert reach >= 0.6 * sample.scale * 200 / 2


def test_people_fill_half_to_most_of_the_image():
    shares = np.array([sample.scale * 200 / SIZE for sample in SAMPLES])
    assert 0.3 < shares.min() and shares.max() <= 0.95
    assert 0.55 < np.median(shares) < 0.85


def test_the_head_box_measures_the_head():
    ratios = []
    for sample in SAMPLES:
        low, high = sample.head_box
        middle = sample.joints[[8, 9]].mean(0)
        assert (low < middle).all() and (middle < high).all()
        head = np.linalg.norm(sample.joints[9] - sample.joints[8])
        ratios.append(0.6 * np.linalg.norm(high - low) / head)
    assert 0.75 < np.median(ratios) < 1.1
    # A head bent toward the camera is short but not small.
    assert 0.7 < min(ratios) and max(ratios) < 2


def test_images_are_varied():
    assert SAMPLES[0].image.shape == (SIZE, SIZE, 3)
    assert SAMPLES[0].image.dtype == np.uint8
    means = np.stack([sample.image.mean((0, 1)) for sample in SAMPLES])
    assert (means.std(0) > 15).all()
    assert min(sample.image.std() for sample in SAMPLES) > 8
    assert {sample.from_behind for sample in SAMPLES} == {True, False}


@pytest.mark.parametrize(
    'arguments, word',
    [
        ((0, 'test', 0, 128), 'split'),
        ((-1, 'val', 0, 128), 'seed'),
        ((0, 'val', -1, 128), 'index'),
        ((0, 'val', 0, 10), 'size'),
    ],
)
def test_bad_arguments_are_one_line_errors(arguments, word):
    with pytest.raises(UserError, match=word) as caught:
        draw_person(*arguments)
    assert '\n' not in str(caught.value)
