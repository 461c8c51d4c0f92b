"""Boxes of people are read in COCO's formats, and errors name the record."""

import numpy as np
import pytest

from fpd_mmpose.readers.person_boxes import read_person_boxes
from tests.helpers.coco_data import coco, image, person, write_json
from tests.helpers.refusals import refused

IMAGES = [dict(id=1, file_name='a/1.jpg', width=64, height=48), image(7)]
BOX = [1.0, 2.0, 30.0, 40.0]


def annotation(image_id: int | str = 1, **changes) -> dict:
    return dict(image_id=image_id, category_id=1, bbox=BOX, score=0.5) | changes


@pytest.fixture
def read(tmp_path):
    """Returns a function that writes content to a file and reads it."""

    def write_and_read(content, *args):
        return read_person_boxes(write_json(tmp_path / 'boxes.json', content), *args)

    return write_and_read


def refusal(read, *args) -> str:
    message = refused(read, *args)
    assert 'boxes.json' in message
    return message


def test_boxes_with_their_images(read):
    found = read(coco(IMAGES, [annotation(), annotation(7, bbox=[0, 0, 5, 6])]))
    assert len(found) == 2
    assert found.image_ids == [1, 7]
    assert found.images == {1: IMAGES[0], 7: IMAGES[1]}
    np.testing.assert_array_equal(found.boxes, [BOX, [0, 0, 5, 6]])
    np.testing.assert_array_equal(found.scores, [0.5, 0.5])
    assert found.boxes.dtype == np.float64
    assert found.left_out == {}


def test_coco_annotations_have_a_score_of_1_and_crowds_are_left_out(read):
    people = [
        person(3, 7, BOX),
        person(4, 7, BOX, iscrowd=1),
        person(5, 7, BOX, category_id=2),
    ]
    found = read(coco(IMAGES, people))
    np.testing.assert_array_equal(found.boxes, [BOX])
    np.testing.assert_array_equal(found.scores, [1.0])
    assert found.left_out == {
        'of another category than person': [2],
        'of a crowd': [1],
    }


def test_the_category_of_people_is_found_by_name(read):
    content = coco(IMAGES, [annotation(category_id=5), annotation()])
    content['categories'] = [dict(id=1, name='car'), dict(id=5, name='person')]
    assert read(content).left_out == {'of another category than person': [1]}


@pytest.mark.parametrize(
    'others, reason',
    [
        (dict(category_id=2, bbox=None, image_id=None, score='x'), 'of another'),
        (dict(iscrowd=1, bbox=[], image_id=99), 'of a crowd'),
    ],
)
def test_who_is_left_out_is_not_checked(read, others, reason):
    content = coco(IMAGES, [annotation(), annotation(**others)])
    content['categories'] = [dict(id=1, name='person'), dict(id=2, name='dog')]
    found = read(content)
    assert len(found) == 1
    ((why, which),) = found.left_out.items()
    assert why.startswith(reason) and which == [1]


@pytest.mark.parametrize('flag', [None, 0, False])
def test_a_missing_or_null_flag_is_that_of_no_crowd(read, flag):
    assert len(read(coco(IMAGES, [annotation(iscrowd=flag, category_id=None)]))) == 1


@pytest.mark.parametrize('flag', ['0', '', 2, [0]])
def test_a_flag_that_is_neither_0_nor_1(read, flag):
    message = refusal(read, coco(IMAGES, [annotation(), annotation(iscrowd=flag)]))
    assert message.startswith('annotation 1 of') and 'valid `iscrowd`' in message


def test_detections_have_the_categories_of_the_file_of_their_images(read, tmp_path):
    listing = coco(IMAGES, [])
    listing['categories'] = [dict(id=0, name='person'), dict(id=1, name='car')]
    path = write_json(tmp_path / 'images.json', listing)
    found = read([annotation(7, category_id=0), annotation(7)], path)
    assert found.records.tolist() == [0]


def test_an_image_without_people_is_kept(read):
    found = read(coco(IMAGES, []))
    assert len(found) == 0 and len(found.images) == 2
    assert len(found.usable(0.5, 10)) == 0


def test_detections_with_a_file_of_their_images(read, tmp_path):
    path = write_json(tmp_path / 'images.json', coco(IMAGES, []))
    found = read([annotation(7), annotation(1, category_id=3)], path)
    assert found.images == {1: IMAGES[0], 7: IMAGES[1]}
    assert found.image_ids == [7]
    assert 'image 9, which' in refusal(read, [annotation(9)], path)


def test_detections_name_images_or_give_the_number_in_the_name(read):
    found = read(
        [annotation('deep/x.jpg'), annotation(785)],
        '',
        lambda: ['val/000000000785.jpg', 'val/000000000786.jpg', 'val/b.jpg'],
    )
    names = [found.images[each]['file_name'] for each in found.image_ids]
    assert names == ['deep/x.jpg', 'val/000000000785.jpg']


def test_a_number_must_belong_to_exactly_one_image(read):
    message = refusal(read, [annotation(5)], '', lambda: ['6.jpg'])
    assert 'detection 0' in message and 'ann_file_images' in message
    message = refusal(read, [annotation(5)], '', lambda: ['a/5.jpg', 'b/05.jpg'])
    assert '"a/5.jpg" or "b/05.jpg"' in message


def test_faulty_boxes_are_left_out_by_reason(read):
    boxes = [
        [np.nan, 0, 5, 5],
        [0, 0, np.inf, 5],
        [3, 3, 0, 5],
        [3, 3, 5, -5],
        [64, 0, 5, 5],
        [0, 48, 5, 5],
        [-5, 0, 5, 5],
        [0, -5, 5, 5],
        [63, 47, 50, 50],
        [-4, -4, 5, 5],
    ]
    records = [annotation(bbox=box) for box in boxes]
    records.append(annotation(score=np.nan))
    found = read(coco(IMAGES, records)).usable()
    assert found.records.tolist() == [8, 9]
    assert found.left_out == {
        'that are not finite numbers': [0, 1, 10],
        'of no area': [2, 3],
        'outside their image': [4, 5, 6, 7],
    }


def test_without_an_image_size_boxes_beyond_the_right_edge_are_kept(read):
    images = [dict(id=1, file_name='a.jpg')]
    records = [annotation(bbox=[999, 0, 5, 5]), annotation(bbox=[-5, 0, 5, 5])]
    assert read(coco(images, records)).usable().records.tolist() == [0]


def test_scores_and_sides_equal_to_the_threshold_are_kept(read):
    records = [annotation(score=score) for score in (0.29, 0.3, 0.9)]
    records.append(annotation(bbox=[0, 0, 40, 29]))
    found = read(coco(IMAGES, records)).usable(score_thr=0.3, min_size=30)
    assert found.records.tolist() == [1, 2]
    assert found.left_out == {
        'with a score below 0.3': [0],
        'with a side below 30 pixels': [3],
    }


@pytest.mark.parametrize(
    'content',
    [{}, {'annotations': 3}, {'annotations': []}, 5, ['text'], [{'image': 1}]],
)
def test_another_file_is_an_error(read, content):
    refusal(read, content)


@pytest.mark.parametrize('field', ['bbox', 'score'])
@pytest.mark.parametrize('value', [None, 'text', [1, 2, 3], ['1', '2', '3', '4'], {}])
def test_an_invalid_field_is_an_error(read, field, value):
    content = coco(IMAGES, [annotation(), annotation(**{field: value})])
    message = refusal(read, content)
    assert 'annotation 1 of' in message and f'`{field}`' in message


def test_a_record_without_a_box_is_an_error(read):
    record = annotation()
    del record['bbox']
    assert 'detection 0' in refusal(read, [record], '', lambda: ['1.jpg'])


@pytest.mark.parametrize('image_id', [None, True, 1.0, [1], 9, '1'])
def test_an_image_that_is_not_listed_is_an_error(read, image_id):
    message = refusal(read, coco(IMAGES, [annotation(), annotation(image_id)]))
    assert message.startswith('annotation 1 of')


@pytest.mark.parametrize(
    'changes',
    [
        dict(id=None),
        dict(id=7),
        dict(file_name=''),
        dict(file_name=3),
        dict(width=0),
        dict(height='48'),
        dict(height=np.nan),
        dict(frame_index=-1),
        dict(frame_index=1.5),
        dict(frame_index=True),
    ],
)
def test_an_invalid_image_is_an_error(read, changes):
    content = coco([IMAGES[1], IMAGES[0] | changes], [annotation()])
    message = refusal(read, content)
    assert message.startswith('image 1 of') and f'`{next(iter(changes))}`' in message


@pytest.mark.parametrize('side', ['width', 'height', 'frame_index'])
def test_a_null_in_an_image_is_a_missing_field(read, side):
    found = read(coco([IMAGES[0] | {side: None}], [annotation()])).usable()
    assert len(found) == 1 and side not in found.images[1]


def test_an_image_without_people_is_not_checked(read):
    content = coco([IMAGES[0], dict(id=9, file_name=None, width=-1)], [annotation()])
    assert len(read(content)) == 1


def test_a_file_of_images_is_only_for_detections(read, tmp_path):
    path = write_json(tmp_path / 'images.json', coco(IMAGES, []))
    assert 'leave out' in refusal(read, coco(IMAGES, []), path)


def test_the_error_for_a_missing_file_says_how_to_create_it(tmp_path):
    with pytest.raises(ValueError, match='does not exist.*detect_people.py'):
        read_person_boxes(tmp_path / 'boxes.json')
