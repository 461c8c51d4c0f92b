"""Selection of detected boxes."""

import numpy as np
import pytest

from fpd_mmpose.detection import Selection
from fpd_mmpose.errors import UserError

BOXES = np.array(
    [
        [0, 0, 30, 40, 0.5],
        [1, 0, 31, 40, 0.9],  # overlaps the first with an IoU of about 0.94
        [50, 10, 58, 60, 0.6],
        [60, 0, 100, 50, 0.2],
    ],
    dtype=np.float32,
)


def kept(selection: Selection, boxes: np.ndarray = BOXES) -> list[float]:
    return [person[4] for person in selection(boxes, 80, 60)[0]]


def test_defaults_are_those_of_mmpose():
    people, too_small, too_many = Selection()(BOXES, 80, 60)
    assert people == [[1, 0, 30, 40, 0.9], [50, 10, 8, 50, 0.6]]
    assert (too_small, too_many) == (0, 0)


def test_scores_must_be_above_the_threshold():
    assert kept(Selection(score_thr=0.1)) == [0.9, 0.6, 0.2]
    assert kept(Selection(score_thr=0.7)) == [0.9]
    exact = np.array([[0, 0, 9, 9, 0.5]])
    assert kept(Selection(score_thr=0.5), exact) == []


def test_overlapping_boxes():
    assert kept(Selection(nms_thr=0.95)) == [0.9, 0.6, 0.5]


def test_the_shorter_side_counts_inside_the_image():
    assert Selection(min_size=8)(BOXES, 80, 60)[1] == 0
    assert Selection(min_size=8.5)(BOXES, 80, 60)[1] == 1
    # 20 of the 40 pixels of the last box are inside.
    assert kept(Selection(score_thr=0.1, min_size=20)) == [0.9, 0.2]
    assert kept(Selection(score_thr=0.1, min_size=21)) == [0.9]


def test_the_best_people_up_to_a_maximum():
    people, _, too_many = Selection(score_thr=0.1, max_people=2)(BOXES, 80, 60)
    assert [person[4] for person in people] == [0.9, 0.6]
    assert too_many == 1


def test_boxes_are_clipped_and_those_outside_dropped():
    boxes = np.array([[-5, -5, 100.126, 30.004, 0.9], [90, 0, 95, 10, 0.8]])
    people, too_small, _ = Selection()(boxes, 80, 60)
    assert people == [[0, 0, 80, 30, 0.9]]
    assert too_small == 1


def test_no_boxes():
    assert Selection()(np.zeros((0, 5)), 80, 60) == ([], 0, 0)


@pytest.mark.parametrize(
    'setting',
    [
        dict(score_thr=1.0),
        dict(score_thr=-0.1),
        dict(nms_thr=0),
        dict(nms_thr=1.1),
        dict(min_size=-1),
        dict(max_people=0),
    ],
)
def test_settings_out_of_range(setting):
    with pytest.raises(UserError, match=f'`{next(iter(setting))}` is'):
        Selection(**setting)
