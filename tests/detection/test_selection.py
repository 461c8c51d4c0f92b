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
    return [person[4] for person in selection(boxes, 80, 60)]


def test_defaults_are_those_of_mmpose():
    people = Selection()(BOXES, 80, 60)
    assert people == [[1, 0, 30, 40, 0.9], [50, 10, 8, 50, 0.6]]


def test_scores_must_be_above_the_threshold():
    assert kept(Selection(score_thr=0.1)) == [0.9, 0.6, 0.2]
    assert kept(Selection(score_thr=0.7)) == [0.9]
    exact = np.array([[0, 0, 9, 9, 0.5]])
    assert kept(Selection(score_thr=0.5), exact) == []


def test_overlapping_boxes():
    assert kept(Selection(nms_thr=0.95)) == [0.9, 0.6, 0.5]


def test_boxes_are_clipped_and_those_outside_dropped():
    boxes = np.array([[-5, -5, 100.126, 30.004, 0.9], [90, 0, 95, 10, 0.8]])
    assert Selection()(boxes, 80, 60) == [[0, 0, 80, 30, 0.9]]


def test_no_boxes():
    assert Selection()(np.zeros((0, 5)), 80, 60) == []


@pytest.mark.parametrize(
    'setting',
    [
        dict(score_thr=1.0),
        dict(score_thr=-0.1),
        dict(nms_thr=0),
        dict(nms_thr=1.1),
    ],
)
def test_settings_out_of_range(setting):
    with pytest.raises(UserError, match=f'`{next(iter(setting))}` is'):
        Selection(**setting)
