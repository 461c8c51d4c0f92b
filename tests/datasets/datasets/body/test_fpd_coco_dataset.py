"""COCO is read with the boxes of the reference."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmpose.datasets.datasets import CocoDataset
from mmpose.registry import DATASETS
from PIL import Image

from fpd_mmpose.datasets import FPDCocoDataset
from tests.helpers.coco_data import (
    DETECTIONS,
    coco,
    image,
    person,
    write_coco,
    write_json,
)
from tests.helpers.refusals import refused

PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(192, 256)),
    dict(type='PackPoseInputs'),
]
VAL = dict(
    ann_file='annotations/person_keypoints_val2017.json',
    data_prefix=dict(img='val2017/'),
    test_mode=True,
)
BOX = [10.0, 12.0, 40.0, 60.0]


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('coco')
    write_coco(folder)
    return folder


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Collects the log messages of a test."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def dataset_of(
    folder: Path, *people: dict, detections: Any = None, **settings: Any
) -> FPDCocoDataset:
    """Reads people in an image of 120 x 80 pixels."""
    content = settings.pop('content', coco([image(5)], list(people)))
    path = write_json(folder / 'people.json', content)
    if detections is not None:
        settings.update(
            bbox_file=write_json(folder / 'boxes.json', detections), test_mode=True
        )
    return FPDCocoDataset(path, **settings)


# --- People -----------------------------------------------------------------------


def test_it_is_registered_and_reads_every_person(root):
    dataset = DATASETS.build(dict(type='FPDCocoDataset', data_root=str(root), **VAL))
    people = json.loads((root / VAL['ann_file']).read_text())['annotations']
    assert isinstance(dataset, FPDCocoDataset) and len(dataset) == len(people) == 6
    for info, annotated in zip(dataset, people, strict=True):
        assert (info['id'], info['img_id']) == (annotated['id'], annotated['image_id'])
        assert Path(info['img_path']).is_file()
        keypoints = np.reshape(annotated['keypoints'], (1, 17, 3))
        np.testing.assert_array_equal(info['keypoints'], keypoints[..., :2])
        assert info['keypoints'].dtype == info['bbox'].dtype == np.float64
        assert len(info['upper_body_ids']) == 11 and len(info['lower_body_ids']) == 6


@pytest.mark.parametrize('written_as_reference', [False, True])
@pytest.mark.parametrize('prefix', ['val2017/', 'images/val2017'])
def test_images_are_found_in_both_layouts(tmp_path, written_as_reference, prefix):
    write_coco(tmp_path, reference_layout=written_as_reference)
    settings = {**VAL, 'data_prefix': dict(img=prefix)}
    dataset = FPDCocoDataset(data_root=str(tmp_path), **settings)
    assert all(Path(info['img_path']).is_file() for info in dataset)


def test_keypoints_are_either_labeled_or_not(tmp_path):
    annotated = person(1, 5, BOX)
    annotated['keypoints'][2::3] = [0, 1, 2] + [2] * 14
    info = dataset_of(tmp_path, annotated)[0]
    np.testing.assert_array_equal(info['keypoints_visible'], [[0] + [1] * 16])


@pytest.mark.parametrize(
    'box, corners',
    [
        ([10, 12, 40, 60], [10, 12, 49, 71]),
        ([10.5, 12.25, 40.5, 60], [10.5, 12.25, 50, 71.25]),
        # Cut off at the last column and row, 119 and 79.
        ([100, 50, 20, 30], [100, 50, 119, 79]),
        ([100, 50, 40, 60], [100, 50, 119, 79]),
        # Moved into the image, not cut off.
        ([-8, -4, 40, 60], [0, 0, 39, 59]),
        ([10, 12, 1, 60], [10, 12, 10, 71]),
        ([10, 12, 0.5, 60], [10, 12, 10, 71]),
    ],
)
def test_an_annotated_box_ends_at_its_last_pixel(tmp_path, box, corners):
    info = dataset_of(tmp_path, person(1, 5, BOX, bbox=box))[0]
    np.testing.assert_allclose(info['bbox'], [corners], rtol=0, atol=1e-12)


def test_center_and_scale_of_a_box(root):
    # As in the reference, padded to 3:4 and then by a quarter.
    dataset = FPDCocoDataset(data_root=str(root), pipeline=PIPELINE, **VAL)
    people = json.loads((root / VAL['ann_file']).read_text())['annotations']
    for sample, annotated in zip(dataset, people, strict=True):
        x, y, w, h = annotated['bbox']
        w, h = w - 1, h - 1
        sample = sample['data_samples']
        np.testing.assert_allclose(
            sample.metainfo['input_center'], [x + w / 2, y + h / 2], rtol=1e-12
        )
        width = max(w, h * 0.75)
        scale = [1.25 * width, 1.25 * width / 0.75]
        np.testing.assert_allclose(sample.metainfo['input_scale'], scale, rtol=1e-12)
        # Suppression of people uses this area.
        np.testing.assert_allclose(
            sample.gt_instances.bbox_scales.prod(), np.prod(scale), rtol=1e-12
        )


# --- Detected boxes ----------------------------------------------------------------


@pytest.mark.parametrize('absolute', [False, True])
def test_detected_boxes_are_used_as_they_are(root, log, absolute):
    path = str(root / DETECTIONS) if absolute else DETECTIONS
    dataset = FPDCocoDataset(data_root=str(root), bbox_file=path, **VAL)
    detections = json.loads((root / DETECTIONS).read_text())
    assert len(dataset) == 6 and len(detections) == 7
    for info, detection in zip(dataset, detections[:6], strict=True):
        x, y, w, h = detection['bbox']
        np.testing.assert_allclose(info['bbox'], [[x, y, x + w, y + h]], rtol=1e-12)
        assert info['bbox'].dtype == np.float64
        assert info['bbox_score'].tolist() == [detection['score']]
        assert info['img_id'] == detection['image_id']
        assert Path(info['img_path']).is_file()
    assert any(
        '6 people used; detections left out: 1 of another category than person' in line
        for line in log
    )


def test_boxes_with_a_low_score_are_left_out_as_in_mmpose(root, log):
    dataset = FPDCocoDataset(
        data_root=str(root),
        bbox_file=DETECTIONS,
        filter_cfg=dict(bbox_score_thr=0.85),
        **VAL,
    )
    assert len(dataset) == 3
    assert '3 people used after filter_cfg, which leaves out 3' in log[-1]


def test_the_log_says_that_everyone_is_used(tmp_path, log):
    dataset_of(tmp_path, person(1, 5, BOX), person(2, 5, BOX))
    assert log[-1].endswith('people.json": 2 people used, none left out')


def test_images_between_those_of_an_interval_are_counted(tmp_path, log):
    content = coco([image(4), image(5)], [person(1, 4, BOX), person(2, 5, BOX)])
    assert len(dataset_of(tmp_path, content=content, sample_interval=2)) == 1
    assert 'left out: 1 because of sample_interval (the first is' in log[-1]


def test_detected_boxes_need_no_annotations(tmp_path):
    content = coco([image(5)], [])
    del content['annotations']
    detection = dict(image_id=5, category_id=1, bbox=BOX, score=0.5)
    assert len(dataset_of(tmp_path, content=content, detections=[detection])) == 1


def test_a_detected_box_outside_its_image_is_left_out(tmp_path, log):
    boxes = [BOX, [120, 0, 5, 5], [-9, 0, 9, 9], [119, 79, 50, 50]]
    detections = [dict(image_id=5, category_id=1, bbox=b, score=0.5) for b in boxes]
    dataset = dataset_of(tmp_path, detections=detections)
    assert [info['bbox'].tolist()[0][0] for info in dataset] == [10, 119]
    assert 'left out: 2 with a box outside the image (the first is ' in log[-1]
    assert log[-1].endswith('detection 1)')


@pytest.mark.parametrize('size', [[0, 0], [0, 60], [40, 0.0]])
def test_a_detected_box_of_no_area_is_left_out(tmp_path, log, size):
    boxes = [BOX, [10, 12, *size]]
    detections = [dict(image_id=5, category_id=1, bbox=b, score=0.5) for b in boxes]
    assert len(dataset_of(tmp_path, detections=detections)) == 1
    assert 'left out: 1 with a box of no area (the first is ' in log[-1]
    assert log[-1].endswith('detection 1)')


# --- People left out ---------------------------------------------------------------


@pytest.mark.parametrize(
    'changes, reason',
    [
        (dict(iscrowd=1), 'of a crowd'),
        (dict(category_id=3), 'of another category than person'),
        (dict(keypoints=[0] * 51), 'without a labeled keypoint'),
        (dict(area=0), 'with an area of 0'),
        (dict(bbox=[119.5, 5, 10, 10]), 'with a box outside the image'),
        (dict(bbox=[5, 200, 10, 10]), 'with a box outside the image'),
        (dict(bbox=[-30, 5, 20, 10]), 'with a box outside the image'),
        (dict(bbox=[5, -30, 20, 30]), 'with a box outside the image'),
        (dict(bbox=[10, 12, 1, 1]), 'with a box of one pixel'),
        (dict(bbox=[10, 12, 0, 60]), 'with a box of no area'),
        (dict(bbox=[10, 12, 1, 0.0]), 'with a box of no area'),
    ],
    ids=str,
)
def test_people_left_out_are_counted(tmp_path, log, changes, reason):
    people = [
        person(1, 5, BOX),
        person(22, 5, BOX, **changes),
        person(23, 5, BOX, **changes),
    ]
    assert len(dataset_of(tmp_path, *people)) == 1
    (line,) = [line for line in log if 'people.json' in line]
    assert f'1 people used; annotations left out: 2 {reason} (the first is ' in line
    assert line.endswith('annotation 22)')


def test_the_number_of_keypoints_in_the_file_is_ignored(tmp_path):
    # Unlike in MMPose; the reference uses the keypoints alone.
    assert len(dataset_of(tmp_path, person(1, 5, BOX, num_keypoints=0))) == 1


def test_it_is_an_error_if_no_person_is_left(tmp_path):
    message = refusal(tmp_path, person(1, 5, BOX, iscrowd=1), person(2, 5, BOX, area=0))
    assert (
        'people.json" has no person to use; annotations left out: 1 of a crowd, 1 '
        in message
    )
    assert 'has no person to use' in refusal(tmp_path)
    assert 'boxes.json" has no person to use' in refusal(tmp_path, detections=[])


# --- Errors ------------------------------------------------------------------------


def refusal(folder: Path, *people: Any, **settings: Any) -> str:
    return refused(dataset_of, folder, *people, **settings)


@pytest.mark.parametrize('content', [b'', b'  ', b'{"images": [', b'\xff\xd8\xff'])
@pytest.mark.parametrize('which', ['ann_file', 'bbox_file'])
def test_a_file_that_is_not_json(root, tmp_path, which, content):
    path = tmp_path / 'broken.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f'^"{path}" is '):
        FPDCocoDataset(data_root=str(root), **{**VAL, which: str(path)})


@pytest.mark.parametrize('which', ['ann_file', 'bbox_file'])
def test_a_file_that_is_missing(root, which):
    with pytest.raises(ValueError, match=f'"{root}/absent.json" does not exist'):
        FPDCocoDataset(data_root=str(root), **{**VAL, which: 'absent.json'})


MPII = [dict(image='1.jpg', center=[1, 2], scale=1, joints=[[1, 2]] * 16)]


@pytest.mark.parametrize(
    'content', [MPII, [], {}, 3, dict(images=[], categories=[]), dict(images=3)]
)
def test_annotations_of_another_dataset(tmp_path, content):
    assert 'people.json" is not a COCO annotation file: expected the lists ' in refusal(
        tmp_path, content=content
    )


def test_annotations_of_objects_instead_of_keypoints(tmp_path):
    people = [person(1, 5, BOX), person(2, 5, BOX)]
    for annotated in people:
        del annotated['keypoints']
    message = refusal(tmp_path, *people)
    assert 'annotation id 1 of ' in message and 'person_keypoints_*.json' in message


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(bbox=[1, 2, float('nan'), 4]), 'has no valid `bbox`'),
        (dict(bbox=[1, 2, float('inf'), 4]), 'has no valid `bbox`'),
        (dict(bbox=['1', '2', '3', '4']), 'has no valid `bbox`'),
        (dict(bbox=[1, 2, 3]), 'has no valid `bbox`'),
        (dict(bbox=None), 'has no valid `bbox`'),
        (dict(bbox=[50, 60, -40, -48]), 'has a box of negative size'),
        (dict(area=float('nan')), 'has no valid `area`'),
        (dict(area=None), 'has no valid `area`'),
        (dict(keypoints=[float('nan')] * 51), 'has no valid `keypoints`'),
        (dict(keypoints=['a'] * 51), 'has no valid `keypoints`'),
        (dict(keypoints=[[1, 2, 2]] * 17), 'has no valid `keypoints`'),
        (dict(keypoints=[1, 2, 2] * 16), 'visibility of 17 keypoints'),
        (dict(keypoints=[1, 2, 3] * 17), 'has a visibility of 3 for keypoint 0'),
        (dict(keypoints=[1, 2, 0.5] * 17), 'has a visibility of 0.5'),
        (dict(keypoints=[1, 2, -2] * 17), 'has a visibility of -2'),
        (dict(iscrowd='0'), 'has no valid `iscrowd`: expected 0 or 1, got'),
        (dict(iscrowd=2), 'has no valid `iscrowd`'),
        (dict(iscrowd=[]), 'has no valid `iscrowd`'),
        (dict(image_id=6), 'belongs to image 6, which'),
    ],
    ids=str,
)
def test_an_annotation_with_an_invalid_field(tmp_path, changes, message):
    answer = refusal(tmp_path, person(8, 5, BOX), person(9, 5, BOX, **changes))
    assert answer.startswith(f'annotation id 9 of "{tmp_path}/people.json" ')
    assert message in answer


@pytest.mark.parametrize(
    'second, message',
    [
        (3, 'annotation 1 of '),
        ({}, 'annotation 1 of '),
        ({**person(8, 5, BOX), 'id': 'x'}, 'has no valid `id`'),
        ({**person(8, 5, BOX), 'id': True}, 'has no valid `id`'),
        (person(8, 5, BOX), 'annotation 1 of "'),
    ],
    ids=['a number', 'empty', 'text as id', 'true as id', 'a repeated id'],
)
def test_an_annotation_without_a_unique_id(tmp_path, second, message):
    assert message in refusal(tmp_path, person(8, 5, BOX), second)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(id='6'), 'image 1 of "{}" has no valid `id`'),
        (dict(id=5), 'image 1 of "{}" has the `id` of another: 5'),
        (dict(file_name='a\0b'), 'image id 6 of "{}" has no valid `file_name`'),
        (dict(file_name=None), 'image id 6 of "{}" has no valid `file_name`'),
        (dict(width=None), 'image id 6 of "{}" has no valid `width`'),
        (dict(height=float('nan')), 'image id 6 of "{}" has no valid `height`'),
        (dict(height=0), 'image id 6 of "{}" has a height below 1'),
    ],
    ids=str,
)
def test_an_image_with_an_invalid_field(tmp_path, changes, message):
    people = [person(8, 5, BOX), person(9, 6, BOX)]
    content = coco([image(5), {**image(6), **changes}], people)
    answer = refusal(tmp_path, content=content)
    assert answer.startswith(message.format(tmp_path / 'people.json'))


@pytest.mark.parametrize(
    'box',
    [
        [80.0, 5.0, 30.0, 40.0],  # far from the diagonal of the image
        [60.0, 10.0, 55.0, 65.0],  # on it, and swapped below the image
    ],
)
def test_keypoints_with_x_and_y_swapped(tmp_path, box):
    annotated = person(9, 5, box)
    points = np.reshape(annotated['keypoints'], (-1, 3))
    annotated['keypoints'] = points[:, [1, 0, 2]].ravel().tolist()
    message = refusal(tmp_path, person(8, 5, BOX), annotated)
    assert 'annotation id 9 of ' in message and 'swapped' in message


def test_keypoints_beyond_the_edge_do_not_count_as_swapped(tmp_path):
    annotated = person(9, 5, [50.0, 10.0, 60.0, 69.0])
    points = np.reshape(annotated['keypoints'], (-1, 3))
    points[11:, 1] += 40  # legs below the image
    annotated['keypoints'] = points.ravel().tolist()
    assert len(dataset_of(tmp_path, annotated)) == 1


@pytest.mark.parametrize('box', [[60.0, 30.0, 50.0, 50.0], [30.0, 40.0, 45.0, 40.0]])
@pytest.mark.parametrize('labeled', [1, 2, 3, 4, 17])
@pytest.mark.parametrize('beyond', [0.5, 30.0])
@pytest.mark.parametrize('axis, edge', [(0, 0), (0, 119), (1, 0), (1, 79)])
def test_any_number_of_keypoints_may_be_beyond_an_edge(
    tmp_path, box, labeled, beyond, axis, edge
):
    annotated = person(9, 5, box)
    points = np.reshape(annotated['keypoints'], (-1, 3))
    points[labeled:] = 0
    away = edge + (beyond if edge else -beyond)
    points[: (labeled + 1) // 2, axis] = away
    annotated['keypoints'] = points.ravel().tolist()
    assert len(dataset_of(tmp_path, annotated)) == 1


# --- Files of own data ------------------------------------------------------------


@pytest.mark.parametrize('flag', [None, 0, False, 0.0, 'absent'])
def test_a_person_is_no_crowd_unless_the_file_says_so(tmp_path, flag):
    annotated = person(9, 5, BOX, iscrowd=flag)
    if flag == 'absent':
        del annotated['iscrowd']
    (info,) = dataset_of(tmp_path, annotated)
    assert info['iscrowd'] == info['raw_ann_info']['iscrowd'] == 0


def test_a_visibility_of_minus_1_is_that_of_an_unlabeled_keypoint(tmp_path):
    some, none = person(8, 5, BOX), person(9, 5, BOX)
    some['keypoints'][2::3] = [-1] * 5 + [1] * 6 + [2] * 6
    none['keypoints'][2::3] = [-1, 0] * 8 + [-1]
    (info,) = dataset_of(tmp_path, some, none)
    np.testing.assert_array_equal(info['keypoints_visible'], [[0] * 5 + [1] * 12])
    assert min(info['raw_ann_info']['keypoints'][2::3]) == 0


NOTHING = dict(bbox=None, area=None, segmentation=None)


@pytest.mark.parametrize(
    'changes, reason',
    [
        (dict(iscrowd=1, keypoints=[]), 'of a crowd'),
        (dict(iscrowd=1, keypoints=None, **NOTHING), 'of a crowd'),
        (dict(iscrowd=1, keypoints=['a', None], **NOTHING), 'of a crowd'),
        (dict(keypoints=[], **NOTHING), 'without a labeled keypoint'),
        (dict(keypoints=None, **NOTHING), 'without a labeled keypoint'),
        (dict(keypoints=[0] * 51, **NOTHING), 'without a labeled keypoint'),
        (
            dict(category_id=7, id=[1], image_id=99, keypoints='none', **NOTHING),
            'of another category than person',
        ),
        (dict(category_id=7, id=1), 'of another category than person'),
    ],
    ids=str,
)
def test_who_is_left_out_is_not_checked(tmp_path, log, changes, reason):
    others = person(22, 5, BOX, **changes)
    assert len(dataset_of(tmp_path, person(1, 5, BOX), others)) == 1
    assert f'1 people used; annotations left out: 1 {reason} (the first' in log[-1]


def test_an_image_without_people_is_not_checked(tmp_path):
    images = [image(5), dict(id=6, file_name=None, width=None, height=-1), dict(id=7)]
    content = coco(images, [person(1, 5, BOX)])
    assert len(dataset_of(tmp_path, content=content)) == 1


@pytest.mark.parametrize(
    'categories, mine',
    [
        ([dict(id=0, name='person')], 0),
        ([dict(id=0, name='car'), dict(id=3, name='Person ')], 3),
        ([dict(id=1, name='car'), dict(id=2, name='person')], 2),
        ([dict(id=4, name='dancer')], 4),
        ([dict(id=5)], 5),
        ([dict(id=1, name='ball'), dict(id=2, name='player', keypoints=['a'])], 2),
        ([], 1),
    ],
    ids=str,
)
def test_the_category_of_people_is_found_by_its_name(tmp_path, categories, mine):
    people = [person(1, 5, BOX, category_id=mine), person(2, 5, BOX, category_id=77)]
    content = {**coco([image(5)], people), 'categories': categories}
    (info,) = dataset_of(tmp_path, content=content)
    assert info['id'] == 1 and info['category_id'] == mine
    detections = [
        dict(image_id=5, category_id=each, bbox=BOX, score=0.5) for each in (mine, 77)
    ]
    (info,) = dataset_of(tmp_path, content=content, detections=detections)
    assert info['category_id'] == mine


def test_a_file_that_does_not_say_which_category_people_are(tmp_path):
    content = coco([image(5)], [person(1, 5, BOX)])
    content['categories'] = [dict(id=1, name='cat'), dict(id=2, name='dog')]
    message = refusal(tmp_path, content=content)
    assert message.startswith(
        f'"{tmp_path}/people.json" has no category named "person"'
    )
    assert "1 'cat', 2 'dog'" in message


def test_annotations_of_other_categories_only(tmp_path):
    people = [person(1, 5, BOX, category_id=0), person(2, 5, BOX, category_id=7)]
    assert (
        'people.json" has annotations of the categories 0, 7 only, but people are of '
        'category 1 in'
    ) in refusal(tmp_path, *people)


def test_detections_of_other_categories_only(tmp_path):
    detection = dict(image_id=5, category_id=0, bbox=BOX, score=0.5)
    message = refusal(tmp_path, person(1, 5, BOX), detections=[detection])
    assert (
        'has detections of the categories 0 only, but people are of category 1 in'
        in (message)
    )


# --- Images -------------------------------------------------------------------------


def test_an_image_must_have_the_size_in_the_file(root):
    settings = dict(data_root=str(root), pipeline=[dict(type='FPDLoadImage')], **VAL)
    path = root / 'resized.json'
    content = json.loads((root / VAL['ann_file']).read_text())
    for listed in content['images']:
        listed.update(width=240, height=160)
    settings['ann_file'] = write_json(path, content)
    message = refused(lambda: FPDCocoDataset(**settings)[0])
    assert 'has 120 x 80 pixels, but' in message and '240 x 160' in message


@pytest.mark.parametrize('apply_exif', [False, True])
@pytest.mark.parametrize('upright', [False, True])
def test_photos_that_were_annotated_upright(tmp_path, apply_exif, upright):
    # Stored as 120 x 80 pixels, shown as 80 x 120.
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (120, 80)).save(tmp_path / '000000000005.jpg', exif=exif)
    size = (80, 120) if upright else (120, 80)
    content = coco([image(5, *size)], [person(1, 5, [5.0, 5.0, 40.0, 60.0])])
    dataset = dataset_of(
        tmp_path,
        content=content,
        data_prefix=dict(img=str(tmp_path)),
        pipeline=[dict(type='FPDLoadImage')],
        apply_exif=apply_exif,
    )
    if upright == apply_exif:
        assert dataset[0]['img'].shape[1::-1] == size
    else:
        message = refused(lambda: dataset[0])
        assert f'apply_exif={not apply_exif}' in message


@pytest.mark.parametrize(
    'content', [dict(a=1), coco([image(5)], []), 'text', [3], MPII]
)
def test_detections_that_are_not_detections(tmp_path, content):
    message = refusal(tmp_path, person(1, 5, BOX), detections=content)
    assert f'"{tmp_path}/boxes.json" ' in message


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(bbox=[1, 2, float('nan'), 4]), 'has no valid `bbox`'),
        (dict(bbox=[1, 2, 3, 4, 0.5]), 'has no valid `bbox`'),
        (dict(bbox=[50, 60, -40, -48]), 'has a box of negative size'),
        (dict(score=float('nan')), 'has no valid `score`'),
        (dict(score='high'), 'has no valid `score`'),
        (dict(image_id=6), 'belongs to image 6, which'),
        (dict(image_id='5'), 'has no valid `image_id`'),
        (dict(category_id=None), 'has no valid `category_id`'),
    ],
    ids=str,
)
def test_a_detection_with_an_invalid_field(tmp_path, changes, message):
    good = dict(image_id=5, category_id=1, bbox=BOX, score=0.5)
    answer = refusal(
        tmp_path, person(1, 5, BOX), detections=[good, {**good, **changes}]
    )
    assert answer.startswith(f'detection 1 of "{tmp_path}/boxes.json" {message}')


def test_bottom_up_is_an_error(tmp_path):
    message = refusal(tmp_path, person(1, 5, BOX), data_mode='bottomup')
    assert "data_mode='topdown'" in message


# --- Comparison with MMPose -------------------------------------------------------


def both(shared: Path, **settings: Any) -> tuple[FPDCocoDataset, CocoDataset]:
    folder = shared / 'data/coco_sample'
    settings = dict(
        ann_file=str(folder / 'test_coco.json'),
        data_prefix=dict(img=str(folder)),
        pipeline=PIPELINE,
        test_mode=True,
        **settings,
    )
    return FPDCocoDataset(**settings), CocoDataset(**settings)


def differences(ours, stock) -> tuple[float, float, float]:
    """Returns the largest differences of center, scale, and keypoints."""
    found = []
    for mine, theirs in zip(ours, stock, strict=True):
        mine, theirs = mine['data_samples'], theirs['data_samples']
        assert mine.img_id == theirs.img_id and mine.id == theirs.id
        pairs = [
            (mine.metainfo[name], theirs.metainfo[name])
            for name in ('input_center', 'input_scale')
        ]
        pairs.append((mine.gt_instances.keypoints, theirs.gt_instances.keypoints))
        found.append([np.abs(a - b).max() for a, b in pairs])
    return tuple(np.max(found, axis=0))


def test_annotated_boxes_differ_from_mmposes_by_one_pixel(shared):
    ours, stock = both(shared)
    assert len(ours) == len(stock) == 12  # of 14, two have no keypoints
    center, scale, keypoints = differences(ours, stock)
    assert center == pytest.approx(0.5, abs=1e-3)
    assert 1.25 <= scale < 1.25 / 0.75 + 1e-3  # a pixel, padded
    assert keypoints < 1e-4


def test_detected_boxes_equal_mmposes(shared):
    path = shared / 'data/coco_sample/test_coco_det_AP_H_56.json'
    ours, stock = both(shared, bbox_file=str(path))
    assert len(ours) == len(stock) == 118
    assert max(differences(ours, stock)) < 1e-4
