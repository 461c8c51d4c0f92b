"""A crowd that is drawn into one picture."""

import cv2
import numpy as np
import pytest

from benchmarks.inference_pictures import SIZE, write_crowd
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import check_boxes


@pytest.mark.parametrize('people', [1, 16])
def test_each_person_has_a_box_inside_the_picture(tmp_path, people):
    boxes = write_crowd(tmp_path / 'crowd.jpg', people)
    image = cv2.imread(str(tmp_path / 'crowd.jpg'))
    assert image.shape[1::-1] == SIZE
    assert len(check_boxes(boxes, image.shape)) == people
    assert (boxes >= 0).all() and (boxes[:, 2:] <= SIZE).all()


def test_boxes_do_not_overlap(tmp_path):
    boxes = write_crowd(tmp_path / 'crowd.jpg', 7)
    first, second = boxes[:, None], boxes[None]
    overlap = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    pairs = (overlap > 0).all(axis=-1)
    assert pairs.sum() == len(boxes), 'each with itself alone'


def test_too_many_people_are_refused(tmp_path):
    with pytest.raises(UserError, match='500 people do not fit into 1280x720 pixels'):
        write_crowd(tmp_path / 'crowd.jpg', 500)
