"""Drawn people in large pictures are a training set of MPII."""

import cv2
import numpy as np
import pytest

from benchmarks.wide_people import ANNOTATIONS, write_wide_people
from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic import draw_person


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp('wide')
    write_wide_people(root, 3, (160, 90))
    return FPDMpiiDataset(
        ann_file=ANNOTATIONS, data_root=str(root), data_prefix=dict(img='images/')
    )


def test_each_person_has_a_picture_of_that_size(people):
    assert len({person['img_path'] for person in people}) == 3
    for person in people:
        assert cv2.imread(person['img_path']).shape == (90, 160, 3)


def test_the_joints_move_with_the_person(people):
    for index, person in enumerate(people):
        drawn = draw_person(0, 'train', index, 90)
        visible = person['keypoints_visible'][0] > 0
        shift = (person['keypoints'][0] - drawn.joints)[visible]
        np.testing.assert_allclose(shift, shift[:1].repeat(len(shift), 0), atol=2e-3)
        np.testing.assert_allclose(
            person['bbox_center'][0] - drawn.center, shift[0], atol=2e-3
        )
        left, top = shift[0].round().astype(int)
        assert top == 0 and 0 <= left <= 70
        picture = cv2.imread(person['img_path'])[:, left : left + 90]
        assert np.abs(picture.astype(int) - drawn.image).mean() < 5


def test_an_upright_picture(tmp_path):
    write_wide_people(tmp_path, 1, (64, 100))
    (path,) = (tmp_path / 'images').iterdir()
    assert cv2.imread(str(path)).shape == (100, 64, 3)


def test_too_small_a_picture_is_refused(tmp_path):
    with pytest.raises(UserError, match='100x63 pixels are too small'):
        write_wide_people(tmp_path, 1, (100, 63))
