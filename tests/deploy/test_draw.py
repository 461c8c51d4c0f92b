"""Drawing of poses."""

import numpy as np
import pytest

from fpd_mmpose.deploy import Poses, draw_poses
from fpd_mmpose.deploy.draw import COLORS
from tests.helpers.exported import INFO

IMAGE = np.full((60, 80, 3), 90, np.uint8)


def poses(left, right, head, scores=(1.0, 1.0, 1.0)) -> Poses:
    return Poses(
        keypoints=np.float32([[left, right, head]]),
        scores=np.float32([scores]),
        boxes=np.float32([[0, 0, 80, 60]]),
    )


def test_sides_have_colors_and_the_image_is_not_changed():
    drawn = draw_poses(IMAGE, poses((10, 40), (70, 40), (40, 10)), INFO)
    assert tuple(drawn[40, 10]) == COLORS['left']
    assert tuple(drawn[40, 70]) == COLORS['right']
    assert tuple(drawn[25, 25]) == COLORS['left']  # halfway to the head
    assert (drawn[50:] == 90).all()
    assert (IMAGE == 90).all()


def test_low_scores_are_not_drawn():
    found = poses((10, 40), (70, 40), (40, 10), scores=(0.1, 1, 1))
    drawn = draw_poses(IMAGE, found, INFO)
    assert (drawn[20:, :30] == 90).all()
    assert tuple(drawn[40, 70]) == COLORS['right']
    assert (draw_poses(IMAGE, found, INFO, min_score=2) == 90).all()


@pytest.mark.parametrize('far', [np.nan, np.inf, -1e30, 1e12])
def test_keypoints_far_outside_are_harmless(far):
    drawn = draw_poses(IMAGE, poses((far, far), (70, 40), (40, 10)), INFO)
    assert tuple(drawn[40, 70]) == COLORS['right']


def test_an_image_without_people_is_copied():
    none = Poses(np.zeros((0, 3, 2)), np.zeros((0, 3)), np.zeros((0, 4)))
    np.testing.assert_array_equal(draw_poses(IMAGE, none, INFO), IMAGE)
