"""Images and boxes."""

import cv2
import numpy as np
import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import check_boxes, check_image, read_image

SHAPE = (40, 60, 3)


def test_the_default_is_the_whole_image():
    assert check_boxes(None, SHAPE).tolist() == [[0, 0, 60, 40]]


def test_an_empty_list_of_boxes_is_nobody():
    assert check_boxes([], SHAPE).shape == (0, 4)


def test_boxes_can_extend_beyond_the_image():
    boxes = [[-5, -5, 20, 80]]
    assert check_boxes(boxes, SHAPE).tolist() == boxes


@pytest.mark.parametrize(
    ('box', 'why'),
    [
        ([float('nan'), 0, 5, 5], 'not finite'),
        ([0, 0, float('inf'), 5], 'not finite'),
        ([5, 0, 5, 5], 'no area'),
        ([9, 0, 5, 5], 'no area'),
        ([-1e30, 0, 5, 5], 'reaches further than 1,048,576 pixels'),
        ([0, 0, 5, 2e6], 'reaches further'),
        ([60, 0, 90, 5], 'outside of the image of 60x40'),
        ([-9, -9, 0, 0], 'outside of the image'),
    ],
)
def test_an_unusable_box_is_named(box, why):
    with pytest.raises(UserError, match=f'box 1 .*{why}'):
        check_boxes([[0, 0, 5, 5], box], SHAPE)


@pytest.mark.parametrize('boxes', [[1, 2, 3, 4], [[1, 2, 3]], [['a', 'b', 'c', 'd']]])
def test_boxes_of_another_shape_are_errors(boxes):
    with pytest.raises(UserError, match='boxes must be'):
        check_boxes(boxes, SHAPE)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        'person.jpg',
    ],
)
def test_other_arrays_are_errors(image):
    with pytest.raises(UserError, match='the image'):
        check_image(image)


def test_an_image_is_read_in_bgr(tmp_path):
    path = tmp_path / 'image with ü.png'
    image = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    assert np.array_equal(read_image(path), image)


@pytest.mark.parametrize(
    ('content', 'why'),
    [
        (None, 'No such file'),
        (b'', 'is empty'),
        (b'GIF89a no more', ''),
        (b'no image', 'not an image'),
    ],
)
def test_an_unreadable_image_is_named(tmp_path, content, why):
    path = tmp_path / 'person.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f'person.jpg.*{why}'):
        read_image(path)
