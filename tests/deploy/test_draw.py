"""People are drawn where they are."""

import numpy as np
import pytest

from fpd_mmpose.deploy import Poses
from fpd_mmpose.deploy.draw import COLORS, draw_poses
from tests.helpers.exported import INFO

IMAGE = np.full((60, 80, 3), 90, np.uint8)


def poses(left, right, head, scores=(1.0, 1.0, 1.0)) -> Poses:
    return Poses(
        keypoints=np.float32([[left, right, head]]),
        scores=np.float32([scores]),
        boxes=np.float32([[0, 0, 80, 60]]),
    )


def test_sides_have_their_colours_and_the_image_stays():
    drawn = draw_poses(IMAGE, poses((10, 40), (70, 40), (40, 10)), INFO)
    assert tuple(drawn[40, 10]) == COLORS['left']
    assert tuple(drawn[40, 70]) == COLORS['right']
    assert tuple(drawn[25, 25]) == COLORS['left']  # half of the way to the head
    assert (drawn[50:] == 90).all()
    assert (IMAGE == 90).all()


def test_what_scores_less_is_left_out_with_its_links():
    found = poses((10, 40), (70, 40), (40, 10), scores=(0.1, 1, 1))
    drawn = draw_poses(IMAGE, found, INFO)
    assert (drawn[20:, :30] == 90).all()
    assert tuple(drawn[40, 70]) == COLORS['right']
    assert (draw_poses(IMAGE, found, INFO, min_score=2) == 90).all()


@pytest.mark.parametrize('far', [np.nan, np.inf, -1e30, 1e12])
def test_keypoints_that_are_nowhere_do_no_harm(far):
    drawn = draw_poses(IMAGE, poses((far, far), (70, 40), (40, 10)), INFO)
    assert tuple(drawn[40, 70]) == COLORS['right']


def test_an_image_without_people_stays_as_it_is():
    none = Poses(np.zeros((0, 3, 2)), np.zeros((0, 3)), np.zeros((0, 4)))
    np.testing.assert_array_equal(draw_poses(IMAGE, none, INFO), IMAGE)
