"""Images are read as in the reference, and errors name the image."""

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS
from PIL import Image

from fpd_mmpose.datasets import FPDLoadImage
from tests.helpers.refusals import refused


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / 'a.png'
    pixels = np.random.randint(256, size=(40, 60, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)
    return path, pixels


def refusal(results: dict) -> str:
    return refused(FPDLoadImage(), results)


def test_pixels_are_bgr(image_file):
    path, pixels = image_file
    found = TRANSFORMS.build(dict(type='FPDLoadImage'))(dict(img_path=str(path)))
    np.testing.assert_array_equal(found['img'], pixels)
    assert found['img_shape'] == found['ori_shape'] == (40, 60)


def test_the_exif_orientation_is_ignored(tmp_path):
    path = tmp_path / 'turned.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (60, 40)).save(path, exif=exif)
    assert FPDLoadImage()(dict(img_path=str(path)))['img_shape'] == (40, 60)
    assert LoadImage()(dict(img_path=str(path)))['img_shape'] == (60, 40)


@pytest.mark.parametrize('color_type', ['color', 'color_ignore_orientation'])
def test_the_exif_orientation_is_applied_if_the_record_says_so(tmp_path, color_type):
    path = tmp_path / 'turned.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.randint(256, size=(40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    load = FPDLoadImage(color_type=color_type)
    found = load(dict(img_path=str(path), apply_exif=True))
    stock = LoadImage()(dict(img_path=str(path)))
    np.testing.assert_array_equal(found['img'], stock['img'])
    assert found['img_shape'] == found['ori_shape'] == (60, 40)


def test_an_image_of_an_unexpected_shape_is_an_error(image_file):
    path, _ = image_file
    FPDLoadImage()(dict(img_path=str(path), expected_shape=(40, 60)))
    message = refusal(dict(img_path=str(path), expected_shape=(60, 40), id=2))
    assert f'"{path}" of record 2 has 60 x 40 pixels' in message
    assert 'its boxes are for 40 x 60' in message


@pytest.mark.parametrize('apply_exif', [False, True])
@pytest.mark.parametrize(
    ('orientation', 'turns'), [(None, False), (3, False), (6, True)]
)
def test_exchanged_sides_are_due_to_exif_only_if_it_exchanges_them(
    tmp_path, orientation, turns, apply_exif
):
    path = tmp_path / 'a.jpg'
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new('RGB', (60, 40)).save(path, exif=exif)
    shape = (40, 60) if turns and apply_exif else (60, 40)
    message = refusal(
        dict(img_path=str(path), expected_shape=shape, apply_exif=apply_exif)
    )
    advice = f'set apply_exif={not apply_exif} in the dataset'
    if not turns:
        advice = "use the original image, or correct the record's width and height"
    assert message.endswith(f': {advice}')


@pytest.fixture
def video(tmp_path):
    """Writes 10 frames of 64 x 48 pixels; frame i has a brightness of 20 * i."""
    path = str(tmp_path / 'clip.mp4')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'mp4v'), 25, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize('index', [7, 0, 9])
def test_a_frame_of_a_video(video, index):
    record = dict(img_path=video, frame_index=index, expected_shape=(48, 64))
    found = FPDLoadImage()(record)
    assert found['img'].dtype == np.uint8
    assert abs(found['img'].mean() - 20 * index) < 10
    assert found['img_shape'] == found['ori_shape'] == (48, 64)
    as_float = FPDLoadImage(to_float32=True)(dict(img_path=video, frame_index=index))
    assert as_float['img'].dtype == np.float32
    np.testing.assert_array_equal(as_float['img'], found['img'])


def test_a_given_frame_is_used_as_it_is():
    frame = np.zeros((5, 5, 3), np.uint8)
    found = FPDLoadImage()(dict(img=frame, img_path='gone.mp4', frame_index=3))
    assert found['img'] is frame


def test_a_frame_beyond_the_end_is_an_error(video):
    message = refusal(dict(img_path=video, frame_index=10, id=4))
    assert message.startswith(f'video "{video}" has no frame 10: it has 10')
    assert message.endswith('(record 4)')


def test_a_box_outside_a_frame_is_an_error(video):
    box = np.array([[64.0, 0, 70, 9]])
    message = refusal(dict(img_path=video, frame_index=2, id=4, bbox=box))
    assert f'is outside frame 2 of video "{video}" of record 4' in message


def test_a_given_array_is_used_as_it_is(image_file):
    _, pixels = image_file
    assert FPDLoadImage()(dict(img=pixels))['img'] is pixels


def test_a_missing_image_is_an_error(tmp_path):
    message = refusal(dict(img_path=str(tmp_path / 'b.jpg'), id=7))
    assert message == f'image "{tmp_path}/b.jpg" of record 7 does not exist'


@pytest.mark.parametrize('content', [b'', b'\xff\xd8\xff\xe0 not an image'])
def test_a_damaged_image_is_an_error(tmp_path, content):
    path = tmp_path / 'b.jpg'
    path.write_bytes(content)
    message = refusal(dict(img_path=str(path), id=7))
    assert message.startswith(f'image "{path}" of record 7 cannot be decoded')


@pytest.mark.parametrize('image', ['a.jpg', None, np.zeros((0, 5, 3), np.uint8)])
def test_an_invalid_given_image_is_an_error(image):
    assert 'the given image' in refusal(dict(img=image))


@pytest.mark.parametrize(
    'box',
    [[60, 0, 70, 9], [5, 40, 9, 50], [-9, 5, 0, 9], [5, -9, 9, 0], [0, 0, np.nan, 9]],
)
def test_a_box_outside_the_image_is_an_error(image_file, box):
    path, _ = image_file
    message = refusal(dict(img_path=str(path), id=3, bbox=np.array([box], float)))
    assert f'is outside image "{path}" of record 3, 60 x 40 pixels' in message


@pytest.mark.parametrize('box', [[59, 39, 80, 80], [-9, -9, 1, 1], [0, 0, 60, 40]])
def test_a_box_that_shares_a_pixel_is_accepted(image_file, box):
    path, _ = image_file
    FPDLoadImage()(dict(img_path=str(path), bbox=np.array([box], float)))
