"""People without keypoints are read from folders, lists, and videos."""

import copy
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS
from PIL import Image
from torch.utils.data import DataLoader

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.datasets.datasets.body.unlabeled_pose_dataset import (
    UnlabeledPoseDataset,
)
from tests.helpers.coco_data import DETECTIONS, coco, write_coco, write_json
from tests.helpers.refusals import refused

CROP = [
    dict(type='FPDLoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomScaleRotation'),
    dict(type='RandomFlip', direction='horizontal', prob=0.5),
    dict(type='FPDTopdownAffine', input_size=(64, 64)),
]
PACK = dict(type='PackPoseInputs')
ENCODE = dict(
    type='GenerateTarget',
    encoder=dict(
        type='FPDHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2
    ),
)
BOX = [4.0, 6.0, 30.0, 40.0]


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


@pytest.fixture
def root(tmp_path) -> Path:
    """Writes three images of 64 x 48 pixels to two folders."""
    for index, name in enumerate(('a.jpg', 'b.png', 'deep/c.jpg')):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((48, 64, 3), 80 * index, np.uint8))
    return tmp_path


@pytest.fixture
def video_root(tmp_path) -> Path:
    """Writes 10 frames of 64 x 48 pixels; frame i has a brightness of 20 * i."""
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 25, (64, 48)
    )
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return tmp_path


def image(image_id: int, name: str, **more: Any) -> dict:
    return dict(id=image_id, file_name=name, width=64, height=48, **more)


def box(image_id: int | str, bbox: list[float] = BOX, score: float = 0.9) -> dict:
    return dict(image_id=image_id, category_id=1, bbox=bbox, score=score)


IMAGES = [
    image(1, 'a.jpg'),
    image(2, 'b.png'),
    image(5, 'deep/c.jpg'),
]
PEOPLE = [box(1), box(5, [0, 0, 64, 48], 0.4), box(1, [10, 10, 8, 30], 0.7)]


def dataset_of(root: Path, content: Any = None, **settings: Any):
    """Reads the boxes of ``content``, in the folder ``images`` by default."""
    if content is not None:
        settings['ann_file'] = Path(write_json(root / 'boxes.json', content)).name
    settings = dict(data_root=str(root), images='images') | settings
    return UnlabeledPoseDataset(**settings)


def refusal(*args, **settings) -> str:
    return refused(dataset_of, *args, **settings)


def frames_of(*indices: int) -> dict:
    """Makes boxes of one person in each of some frames of the video."""
    images = [
        image(position, 'clip.mp4', frame_index=index)
        for position, index in enumerate(indices)
    ]
    return coco(images, [box(position) for position in range(len(indices))])


def test_a_record_is_a_box_without_keypoints(root):
    dataset = dataset_of(root, coco(IMAGES, PEOPLE))
    first, second, third = dataset
    folder = root / 'images'
    assert first['img_path'] == third['img_path'] == str(folder / 'a.jpg')
    assert second['img_path'] == str(folder / 'deep/c.jpg')
    assert [each['img_id'] for each in dataset] == [1, 5, 1]
    assert [each['id'] for each in dataset] == [0, 1, 2]
    np.testing.assert_array_equal(first['bbox'], [[4, 6, 34, 46]])
    np.testing.assert_array_equal(second['bbox_score'], [0.4])
    assert first['bbox'].dtype == first['bbox_score'].dtype == np.float64
    assert not [key for key in first if key.startswith('keypoints')]
    assert 'frame_index' not in first


def test_the_joints_are_mpiis_unless_metainfo_is_given(root):
    content = coco(IMAGES, PEOPLE)
    assert len(dataset_of(root, content)[0]['flip_indices']) == 16
    metainfo = dict(from_file='configs/_base_/datasets/coco.py')
    other = dataset_of(root, content, metainfo=metainfo)
    assert len(other[0]['flip_indices']) == 17


@pytest.mark.parametrize(
    'settings',
    [
        dict(images='', data_prefix=dict(img='images/')),
        dict(images='.', data_prefix=dict(img='images/')),
        dict(images=['images']),
    ],
)
def test_the_folder_can_be_the_data_prefix_of_mmpose(root, settings):
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), **settings)
    assert dataset[0]['img_path'] == str(root / 'images/a.jpg')


def test_the_folder_is_the_root_by_default(root):
    content = coco([image(1, 'images/a.jpg')], [box(1)])
    assert len(dataset_of(root, content, images='')) == 1


def test_absolute_paths_need_no_root(root):
    path = str(root / 'images/a.jpg')
    write_json(root / 'boxes.json', coco([image(1, path)], [box(1)]))
    dataset = UnlabeledPoseDataset(ann_file=str(root / 'boxes.json'))
    assert dataset[0]['img_path'] == path


def test_a_list_selects_images(root, log):
    (root / 'images/some.txt').write_text('a.jpg\nb.png\n')
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), images='images/some.txt')
    assert [each['img_id'] for each in dataset] == [1, 1]
    assert any('1 in images that `images` does not list' in line for line in log)


def test_several_sources(root):
    sources = ['images/a.jpg', 'images/deep']
    images = [image(1, 'a.jpg'), image(5, 'c.jpg')]
    dataset = dataset_of(root, coco(images, PEOPLE), images=sources)
    assert [Path(each['img_path']).name for each in dataset] == [
        'a.jpg', 'c.jpg', 'a.jpg',
    ]  # fmt: skip


def test_coco_annotations_and_detections(tmp_path):
    write_coco(tmp_path)
    annotations = 'annotations/person_keypoints_val2017.json'
    labeled = json.loads((tmp_path / annotations).read_text())
    boxes = [person['bbox'] for person in labeled['annotations']]
    for settings, by in (
        (dict(ann_file=annotations), 0),
        (dict(ann_file=DETECTIONS, ann_file_images=annotations), 1),
        (dict(ann_file=DETECTIONS), 1),
    ):
        dataset = dataset_of(tmp_path, images='val2017', pipeline=CROP, **settings)
        assert len(dataset) == len(boxes) == 6
        for index, (x, y, w, h) in enumerate(boxes):
            np.testing.assert_allclose(
                dataset.get_data_info(index)['bbox'],
                [[x - by, y - by, x + w + by, y + h + by]],
            )
        assert 'keypoints' not in dataset[0]


def test_boxes_below_the_thresholds_are_counted(root, log):
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), score_thr=0.5, min_size=9)
    assert [each['bbox_score'].item() for each in dataset] == [0.9]
    text = '\n'.join(log)
    assert '1 people in 1 of 3 images, 1 of which show nobody' in text
    assert '1 with a score below 0.5 (the first is record 1)' in text
    assert '1 with a side below 9 pixels (the first is record 2)' in text


def test_faulty_boxes_are_counted(root, log):
    bad = [[np.nan, 0, 5, 5], [3, 3, 0, 9], [64, 0, 9, 9], [-9, 0, 9, 9]]
    people = PEOPLE + [box(2, each) for each in bad]
    assert len(dataset_of(root, coco(IMAGES, people))) == 3
    text = '\n'.join(log)
    assert '1 that are not finite numbers (the first is record 3)' in text
    assert '1 of no area (the first is record 4)' in text
    assert '2 outside their image (the first is record 5)' in text


def test_indices_select_people_and_keep_their_ids(root):
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), indices=[2, 0])
    assert [each['id'] for each in dataset] == [2, 0]


def test_it_is_an_error_if_no_person_is_left(root):
    assert 'none, because it is empty' in refusal(root, coco(IMAGES, []))
    message = refusal(root, coco(IMAGES, PEOPLE), score_thr=0.95)
    assert 'boxes.json" has no person to use' in message
    assert '3 with a score below 0.95' in message


def test_boxes_of_other_images_are_an_error(root):
    images = [image(1, 'x.jpg'), image(5, 'y.jpg')]
    message = refusal(root, coco(images, PEOPLE))
    assert '2 images, none of which' in message and '"x.jpg"' in message
    # Even if missing images are left out.
    refusal(root, coco(images, PEOPLE), ignore_missing=True)


def test_missing_images_are_an_error_or_are_counted(root, log):
    (root / 'images/deep/c.jpg').unlink()
    message = refusal(root, coco(IMAGES, PEOPLE))
    assert message.startswith('1 of 2 images') and 'deep/c.jpg"' in message
    assert 'ignore_missing=True' in message
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), ignore_missing=True)
    assert [each['img_id'] for each in dataset] == [1, 1]
    assert any('1 in images that do not exist' in line for line in log)


def test_an_image_without_people_can_be_missing(root):
    (root / 'images/b.png').unlink()
    assert len(dataset_of(root, coco(IMAGES, PEOPLE))) == 3


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (dict(images='nowhere', ann_file='boxes.json'), 'nowhere" does not exist'),
        (dict(ann_file='nothing.json'), 'nothing.json" does not exist'),
        (dict(whole_image=True, ann_file='boxes.json'), 'either ann_file'),
        (dict(ann_file=''), 'detect_people.py writes'),
        (dict(ann_file='boxes.json', data_mode='bottomup'), 'no data_mode'),
        (dict(ann_file='boxes.json', sample_interval=2), 'no sample_interval'),
        (
            dict(ann_file='boxes.json', bbox_file='boxes.json', test_mode=True),
            'no bbox_file',
        ),
        (dict(images='empty', whole_image=True), 'empty" has no image'),
    ],
)
def test_an_invalid_setting_is_an_error(root, settings, expected):
    (root / 'empty').mkdir()
    write_json(root / 'boxes.json', coco(IMAGES, PEOPLE))
    assert expected in refusal(root, **settings)


def test_a_damaged_image_is_named_when_it_is_read(root):
    (root / 'images/a.jpg').write_bytes(b'not an image')
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), pipeline=CROP)
    with pytest.raises(ValueError, match=r'a\.jpg" of record 0 cannot be decoded'):
        dataset[0]


def test_a_resized_image_is_named_when_it_is_read(root):
    cv2.imwrite(str(root / 'images/a.jpg'), np.zeros((96, 128, 3), np.uint8))
    dataset = dataset_of(root, coco(IMAGES, PEOPLE), pipeline=CROP)
    with pytest.raises(ValueError, match='128 x 96 pixels.* 64 x 48'):
        dataset[0]


@pytest.mark.parametrize('apply_exif', [True, False])
def test_the_exif_orientation_is_applied_if_requested(root, apply_exif):
    path = root / 'images/turned.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (60, 40)).save(path, exif=exif)
    size = (40, 60) if apply_exif else (60, 40)
    record = dict(id=1, file_name='turned.jpg', width=size[0], height=size[1])
    settings = dict(apply_exif=apply_exif, pipeline=CROP[:1])
    boxes = dataset_of(root, coco([record], [box(1)]), **settings)
    settings |= dict(images='images/turned.jpg', whole_image=True)
    for found in (boxes[0], dataset_of(root, **settings)[0]):
        assert found['img'].shape[:2] == size[::-1]
    np.testing.assert_array_equal(found['bbox'], [[0, 0, *size]])


def test_whole_images(root, log):
    dataset = dataset_of(root, whole_image=True)
    names = [str(Path(each['img_path']).relative_to(root)) for each in dataset]
    assert names == ['images/a.jpg', 'images/b.png', 'images/deep/c.jpg']
    for index, each in enumerate(dataset):
        np.testing.assert_array_equal(each['bbox'], [[0, 0, 64, 48]])
        assert each['id'] == each['img_id'] == index
    assert any('3 images, each of which' in line for line in log)
    (root / 'images/b.png').write_bytes(b'not an image')
    assert 'b.png" cannot be opened' in refusal(root, whole_image=True)


def test_every_frame_of_a_video(video_root):
    dataset = dataset_of(
        video_root, images='clip.mp4', whole_image=True, pipeline=CROP[:1]
    )
    assert [each['frame_index'] for each in dataset] == list(range(10))
    for index, each in enumerate(dataset):
        assert abs(each['img'].mean() - 20 * index) < 10
        np.testing.assert_array_equal(each['bbox'], [[0, 0, 64, 48]])


@pytest.mark.parametrize('images', ['', 'clip.mp4'])
def test_people_in_frames_of_a_video(video_root, images):
    content = frames_of(3, 0, 9, 3)
    dataset = dataset_of(video_root, content, images=images, pipeline=CROP[:1])
    assert [each['frame_index'] for each in dataset] == [3, 0, 9, 3]
    for each in dataset:
        assert abs(each['img'].mean() - 20 * each['frame_index']) < 10
        np.testing.assert_array_equal(each['bbox'], [[4, 6, 34, 46]])


def test_a_frame_beyond_the_end_is_an_error_before_training(video_root):
    message = refusal(video_root, frames_of(3, 10), images='')
    assert 'frame 10 of' in message and 'which has 10 frames' in message


def test_frames_of_videos_and_only_they_have_an_index(root, video_root):
    content = coco([image(1, 'clip.mp4')], [box(1)])
    assert 'is a video but has no frame_index' in refusal(
        video_root, content, images=''
    )
    content = coco([image(1, 'a.jpg', frame_index=0)], [box(1)])
    assert 'is not a video but has frame_index' in refusal(root, content)


def test_a_damaged_video_is_an_error_before_training(video_root):
    (video_root / 'clip.mp4').write_bytes(b'not a video')
    assert 'cannot be opened as a video' in refusal(video_root, frames_of(3), images='')


def test_the_training_pipeline(root):
    dataset = DATASETS.build(
        dict(
            type='UnlabeledPoseDataset',
            data_root=str(root),
            images='images',
            ann_file=write_json(root / 'boxes.json', coco(IMAGES, PEOPLE)),
            pipeline=[*CROP, PACK],
        )
    )
    flipped = set()
    for index in [0, 1, 2] * 8:
        found = dataset[index]
        assert found['inputs'].shape == (3, 64, 64)
        sample = found['data_samples']
        assert 'gt_fields' not in sample
        assert 'keypoints' not in sample.gt_instances
        assert len(sample.gt_instance_labels) == 0
        assert sample.img_path.startswith(str(root))
        flipped.add(sample.flip)
    assert flipped == {True, False}


@pytest.mark.parametrize('step', [ENCODE, dict(type='RandomHalfBody')])
def test_a_step_that_needs_keypoints_is_an_error(root, step):
    message = refusal(root, whole_image=True, pipeline=[*CROP[:2], step, PACK])
    assert f'pipeline of unlabeled people has {step["type"]}, which needs' in message


def test_a_video_needs_a_step_that_reads_it(video_root):
    settings = dict(images='clip.mp4', whole_image=True)
    pipeline = [dict(type='LoadImage'), *CROP[1:], PACK]
    message = refusal(video_root, pipeline=pipeline, **settings)
    assert 'clip.mp4" is a video, which LoadImage cannot read: use FPDLoad' in message
    # Stock LoadImage reads images.
    path = video_root / 'images/a.png'
    path.parent.mkdir()
    cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8))
    assert dataset_of(video_root, whole_image=True, pipeline=pipeline)[0]
    assert dataset_of(video_root, pipeline=[*CROP, PACK], **settings)[9]


def test_a_crop_shows_the_person(root):
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[10:40, 20:40] = 200
    cv2.imwrite(str(root / 'images/b.png'), pixels)
    content = coco(IMAGES, [box(2, [20, 10, 20, 30])])
    crop = [step for step in CROP if 'Random' not in step['type']]
    found = dataset_of(root, content, pipeline=[*crop, PACK])[0]['inputs'].numpy()
    # The 64 rows show 1.25 times the 30 rows of the person.
    np.testing.assert_array_equal(found[:, 8:56, 17:47], 200)
    assert (found[:, :5] == 0).all() and (found[:, :, :12] == 0).all()


def test_it_can_be_part_of_a_combined_dataset(mpii_root, root):
    write_json(root / 'boxes.json', coco(IMAGES, PEOPLE))
    dataset = DATASETS.build(
        dict(
            type='CombinedDataset',
            metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
            datasets=[
                dict(
                    type='FPDMpiiDataset',
                    data_root=str(mpii_root),
                    ann_file='annotations/mpii_train.json',
                    data_prefix=dict(img='images/'),
                    pipeline=[*CROP, ENCODE],
                ),
                dict(
                    type='UnlabeledPoseDataset',
                    data_root=str(root),
                    images='images',
                    ann_file='boxes.json',
                    pipeline=copy.deepcopy(CROP),
                ),
            ],
            pipeline=[PACK],
        )
    )
    assert len(dataset) == 12 + 3
    batch = pseudo_collate([dataset[index] for index in (0, 14)])
    labeled, unlabeled = batch['data_samples']
    assert 'heatmaps' in labeled.gt_fields
    assert 'gt_fields' not in unlabeled
    assert 'keypoints' not in unlabeled.gt_instances
    assert batch['inputs'][0].shape == batch['inputs'][1].shape == (3, 64, 64)


@pytest.mark.parametrize(
    ('start', 'workers'),
    [
        ('fork', 2),
        pytest.param('spawn', 1, marks=[pytest.mark.slow, pytest.mark.process]),
    ],
)
def test_workers_read_the_right_frames(video_root, start, workers):
    indices = [9, 2, 5, 0, 7, 7, 1, 8, 3, 6, 4, 0]
    # Away from its border, the crop of a uniform frame has the same brightness.
    crop = [step for step in CROP if 'Random' not in step['type']]
    dataset = dataset_of(
        video_root, frames_of(*indices), images='', pipeline=[*crop, PACK]
    )
    # This process has the video open when the workers start.
    dataset[3]
    loader = DataLoader(
        dataset,
        batch_size=2,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context=start,
        collate_fn=pseudo_collate,
    )
    for _ in range(2):
        found = [
            (sample.img_id, image[:, 32, 32].float().mean().item())
            for batch in loader
            for image, sample in zip(
                batch['inputs'], batch['data_samples'], strict=True
            )
        ]
        assert [position for position, _ in found] == list(range(len(indices)))
        for position, brightness in found:
            assert abs(brightness - 20 * indices[position]) < 10


def test_a_hundred_thousand_boxes_are_read_in_seconds(root):
    images = [image(index, 'a.jpg') for index in range(20_000)]
    people = [box(index % 20_000) for index in range(100_000)]
    write_json(root / 'boxes.json', coco(images, people))
    # Of the CPU, which other work does not lengthen. Looking each box up in all images
    # would take minutes.
    start = time.process_time()
    dataset = dataset_of(root, ann_file='boxes.json')
    assert time.process_time() - start < 60
    assert len(dataset) == 100_000


def test_crops_of_photographs_equal_those_of_labeled_people(shared, tmp_path):
    root = str(shared / 'data/lspet')
    crop = [step for step in CROP if 'Random' not in step['type']]
    labeled = FPDMpiiDataset(
        'annotations/mpii_val.json',
        data_root=root,
        data_prefix=dict(img='images/'),
        pipeline=crop,
        indices=40,
    )
    images, boxes = [], []
    for index in range(40):
        person = labeled.get_data_info(index)
        name = Path(person['img_path']).name
        images.append(dict(id=index, file_name=name))
        (x, y, right, bottom), *_ = person['bbox']
        boxes.append(box(index, [x, y, right - x, bottom - y]))
    unlabeled = UnlabeledPoseDataset(
        data_root=root,
        images='images',
        ann_file=write_json(tmp_path / 'boxes.json', coco(images, boxes)),
        pipeline=crop,
    )
    for mine, theirs in zip(unlabeled, labeled, strict=True):
        np.testing.assert_allclose(mine['bbox_center'], theirs['bbox_center'])
        np.testing.assert_array_equal(mine['img'], theirs['img'])
