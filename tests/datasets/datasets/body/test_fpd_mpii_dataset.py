"""MPII's people in the coordinates of the reference."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS
from scipy.io import loadmat, savemat

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.paths import config_root

VAL = dict(
    ann_file='annotations/mpii_val.json',
    headbox_file='annotations/mpii_gt_val.mat',
    data_prefix=dict(img='images/'),
    test_mode=True,
)
PERSON = {
    'image': '000000001.jpg',
    'center': [100.0, 80.0],
    'scale': 0.5,
    'joints': [[10.0 + k, 20.0 + 2 * k] for k in range(16)],
    'joints_vis': [1] * 15 + [0],
}


def people_of(path: Path) -> list[dict]:
    return json.loads(path.read_text())


def dataset_of(folder: Path, *people: Any, **settings: Any) -> FPDMpiiDataset:
    path = folder / 'people.json'
    path.write_text(json.dumps(list(people)))
    return FPDMpiiDataset(str(path), **settings)


def test_it_is_registered_and_reads_every_person(mpii_root):
    dataset = DATASETS.build(
        dict(type='FPDMpiiDataset', data_root=str(mpii_root), **copy.deepcopy(VAL))
    )
    assert isinstance(dataset, FPDMpiiDataset) and len(dataset) == 6
    for person, info in zip(
        people_of(mpii_root / VAL['ann_file']), dataset, strict=True
    ):
        assert Path(info['img_path']) == mpii_root / 'images' / person['image']
        assert Path(info['img_path']).is_file()
        assert info['img_id'] == int(Path(person['image']).stem)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_joints_are_0_based_in_training_and_in_testing(mpii_root, split):
    path = mpii_root / f'annotations/mpii_{split}.json'
    dataset = FPDMpiiDataset(str(path), test_mode=split == 'val')
    for person, info in zip(people_of(path), dataset, strict=True):
        assert info['keypoints'].dtype == np.float64
        np.testing.assert_array_equal(
            info['keypoints'], np.array(person['joints'])[None] - 1
        )
        np.testing.assert_array_equal(
            info['keypoints_visible'], np.array(person['joints_vis'])[None]
        )


def test_center_is_moved_down_and_0_based_and_a_unit_of_scale_is_200_px(tmp_path):
    info = dataset_of(tmp_path, PERSON)[0]
    np.testing.assert_array_equal(info['bbox_center'], [[99, 80 + 15 * 0.5 - 1]])
    np.testing.assert_array_equal(info['bbox_scale'], [[100, 100]])
    np.testing.assert_array_equal(info['bbox'], [[49, 36.5, 149, 136.5]])
    assert info['bbox_center'].dtype == info['bbox_scale'].dtype == np.float64


def test_a_center_that_is_not_given_is_not_moved_down(tmp_path):
    info = dataset_of(tmp_path, {**PERSON, 'center': [-1, -1]})[0]
    np.testing.assert_array_equal(info['bbox_center'], [[-2, -2]])


def test_it_differs_from_mmposes_reader_by_one_pixel_in_the_joints_alone(mpii_root):
    settings = dict(data_root=str(mpii_root), **VAL)
    ours = FPDMpiiDataset(**copy.deepcopy(settings))
    settings['headbox_file'] = str(mpii_root / VAL['headbox_file'])
    stock = MpiiDataset(**settings)
    assert ours.metainfo['flip_indices'] == stock.metainfo['flip_indices']
    for mine, theirs in zip(ours, stock, strict=True):
        assert set(theirs) <= set(mine)
        np.testing.assert_allclose(
            mine['keypoints'], theirs['keypoints'] - 1, rtol=1e-6
        )
        for name in ('bbox', 'bbox_center', 'bbox_scale', 'head_size'):
            np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5)
            assert mine[name].shape == theirs[name].shape
        for name in ('keypoints_visible', 'id', 'img_id', 'category_id', 'img_path'):
            np.testing.assert_array_equal(mine[name], theirs[name])


@pytest.mark.parametrize(
    'names',
    [
        ['a.jpg', 'b.c.jpg', '0.jpg', 'c.jpg', '2.jpg', 'd.jpg', 'a.jpg'],
        ['0.jpg', '000.jpg', '1.jpg', '1.png', 'x/7.png', 'y/7.png', '0.jpg'],
    ],
    ids=['words', 'numbers that coincide'],
)
def test_names_of_images_need_not_be_numbers(tmp_path, names):
    people = [{**PERSON, 'image': name} for name in names]
    dataset = dataset_of(tmp_path, *people, data_prefix=dict(img='/pictures'))
    assert [info['img_path'] for info in dataset] == [f'/pictures/{n}' for n in names]
    numbers = [info['img_id'] for info in dataset]
    assert all(isinstance(number, int) for number in numbers)
    # People share a number exactly where they share an image.
    assert numbers[6] == numbers[0] and len(set(numbers)) == 6


def test_several_people_of_an_image_are_all_read(tmp_path):
    people = [{**PERSON, 'scale': scale} for scale in (0.5, 1, 2)]
    dataset = dataset_of(tmp_path, *people, {**PERSON, 'image': '000000002.jpg'})
    assert [info['img_id'] for info in dataset] == [1, 1, 1, 2]
    assert [info['id'] for info in dataset] == [0, 1, 2, 3]
    assert dataset[2]['bbox_scale'].tolist() == [[400, 400]]


# --- Head boxes --------------------------------------------------------------------


def test_a_head_is_0_6_of_the_diagonal_of_its_box(tmp_path):
    boxes = np.zeros((2, 2, 2))
    boxes[:, :, 0] = [[10, 20], [40, 60]]  # a diagonal of 50
    boxes[:, :, 1] = [[1, 1], [6, 13]]  # of 13
    savemat(tmp_path / 'heads.mat', {'headboxes_src': boxes})
    dataset = dataset_of(
        tmp_path,
        PERSON,
        PERSON,
        headbox_file=str(tmp_path / 'heads.mat'),
        test_mode=True,
    )
    np.testing.assert_allclose(dataset[0]['head_size'], [[30]])
    np.testing.assert_allclose(dataset[1]['head_size'], [[7.8]])


def test_without_head_boxes_there_are_no_head_sizes(tmp_path):
    assert 'head_size' not in dataset_of(tmp_path, PERSON)[0]


@pytest.mark.parametrize('absolute', [True, False])
def test_head_boxes_are_found_below_data_root_or_by_a_whole_path(
    mpii_root, tmp_path, monkeypatch, absolute
):
    monkeypatch.chdir(tmp_path)
    settings = copy.deepcopy(VAL)
    if absolute:
        settings['headbox_file'] = str(mpii_root / VAL['headbox_file'])
    dataset = FPDMpiiDataset(data_root=str(mpii_root), **settings)
    boxes = loadmat(mpii_root / VAL['headbox_file'])['headboxes_src']
    for index, info in enumerate(dataset):
        diagonal = np.hypot(*(boxes[1, :, index] - boxes[0, :, index]))
        np.testing.assert_allclose(info['head_size'], [[0.6 * diagonal]])


def test_head_boxes_may_be_given_from_the_working_directory(mpii_root, monkeypatch):
    # As MpiiDataset takes them.
    monkeypatch.chdir(mpii_root.parent)
    settings = copy.deepcopy(VAL)
    settings['headbox_file'] = f'{mpii_root.name}/{VAL["headbox_file"]}'
    dataset = FPDMpiiDataset(data_root=mpii_root.name, **settings)
    assert len(dataset) == 6 and 'head_size' in dataset[0]


# --- Refusals ----------------------------------------------------------------------


def refusal(**settings: Any) -> str:
    with pytest.raises(ValueError) as info:
        FPDMpiiDataset(**settings)
    assert '\n' not in str(info.value)
    return str(info.value)


def test_an_annotation_file_that_is_missing(tmp_path):
    message = refusal(data_root=str(tmp_path), ann_file='annotations/mpii_val.json')
    assert f'"{tmp_path}/annotations/mpii_val.json" does not exist' in message


@pytest.mark.parametrize('content', [b'', b'{"image": ', b'\xff\xd8\xff\xe0 JFIF'])
def test_an_annotation_file_that_is_not_json(tmp_path, content):
    path = tmp_path / 'people.json'
    path.write_bytes(content)
    assert f'"{path}" is not valid JSON' in refusal(ann_file=str(path))


@pytest.mark.parametrize('content', [{}, [], {'images': [], 'annotations': []}, 3])
def test_an_annotation_file_that_lists_no_people(tmp_path, content):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(content))
    assert f'"{path}" is not a list of MPII people' in refusal(ann_file=str(path))


@pytest.mark.parametrize(
    'change, message',
    [
        ({'joints': [[1, float('nan')]] * 16}, 'has no valid joints'),
        ({'joints': None}, 'has no valid joints'),
        ({'joints': [[1, 2]] * 17}, 'has no valid joints'),
        ({'joints': [[1, 2, 1]] * 16}, 'has no valid joints'),
        ({'joints': [[1, 2]] * 15 + [[1]]}, 'has no valid joints'),
        ({'joints': [['a', 'b']] * 16}, 'has no valid joints'),
        ({'joints_vis': [1] * 15}, 'has no valid joints_vis'),
        ({'joints_vis': 1}, 'has no valid joints_vis'),
        ({'center': [1]}, 'has no valid center'),
        ({'scale': 'large'}, 'has no valid scale'),
        ({'scale': None}, 'has no valid scale'),
    ],
    ids=lambda value: '-'.join(value) if isinstance(value, dict) else '',
)
def test_a_record_with_a_field_of_another_form_is_named(tmp_path, change, message):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps([PERSON, {**PERSON, **change}]))
    assert f'record 1 of "{path}" {message}' in refusal(ann_file=str(path))


@pytest.mark.parametrize('field', ['image', 'center', 'scale', 'joints', 'joints_vis'])
def test_a_record_without_a_field_is_named(tmp_path, field):
    path = tmp_path / 'people.json'
    person = {name: value for name, value in PERSON.items() if name != field}
    path.write_text(json.dumps([PERSON, PERSON, person]))
    message = refusal(ann_file=str(path))
    assert f'record 2 of "{path}" is not an MPII person' in message


def test_head_boxes_that_are_missing(mpii_root):
    settings = {**copy.deepcopy(VAL), 'headbox_file': 'annotations/absent.mat'}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{mpii_root}/annotations/absent.mat" does not exist' in message


def test_head_boxes_of_another_set(mpii_root):
    settings = {**copy.deepcopy(VAL), 'ann_file': 'annotations/mpii_train.json'}
    message = refusal(data_root=str(mpii_root), **settings)
    assert '(2, 2, 6)' in message and 'needs (2, 2, 12)' in message
    assert 'mpii_gt_val.mat' in message and 'mpii_train.json' in message


@pytest.mark.parametrize('content', [b'', b'not a mat file' * 20, b'MATLAB 7.3'])
def test_head_boxes_that_are_not_matlabs(mpii_root, tmp_path, content):
    path = tmp_path / 'heads.mat'
    path.write_bytes(content)
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(path)}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{path}" cannot be read as a MATLAB file' in message


def test_head_boxes_without_the_boxes(mpii_root, tmp_path):
    savemat(tmp_path / 'heads.mat', {'other': 1})
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(tmp_path / 'heads.mat')}
    message = refusal(data_root=str(mpii_root), **settings)
    assert message == f'"{tmp_path}/heads.mat" has no `headboxes_src`'


# --- The whole pipeline ------------------------------------------------------------


def test_the_pipeline_gives_the_references_crops_and_targets(shared, tmp_path):
    sample = shared / 'data/mpii_sample'
    shutil.copy(sample / 'test_mpii.json', tmp_path)
    config = Config.fromfile(config_root() / '_base_/mpii_256x256.py')
    pipeline = config.val_dataloader.dataset.pipeline
    pipeline.insert(-1, dict(type='GenerateTarget', encoder=config.codec))
    dataset = FPDMpiiDataset(
        str(tmp_path / 'test_mpii.json'),
        data_prefix=dict(img=str(sample)),
        pipeline=pipeline,
        test_mode=True,
    )
    expected = np.load(shared / 'reference/mpii_pipeline.npz')
    assert len(dataset) == len(expected['image'])
    for index, packed in enumerate(dataset):
        truth = packed['data_samples']
        assert Path(truth.img_path).name == expected['image'][index]
        np.testing.assert_array_equal(
            truth.gt_fields.heatmaps, expected['target'][index]
        )
        np.testing.assert_array_equal(
            truth.gt_instance_labels.keypoint_weights[0],
            expected['target_weight'][index, :, 0],
        )
        crop = packed['inputs'].permute(1, 2, 0).numpy()
        # MMPose lays its affine map through other points than the reference: in one
        # of the five crops 16 of 196,608 values differ by more than 1, by 3 at most.
        difference = cv2.absdiff(crop, expected['patch_bgr'][index])
        assert difference.max() <= 3
        assert np.mean(difference > 1) < 1e-4 and np.mean(difference > 0) < 1e-3
        np.testing.assert_allclose(truth.input_center, expected['center'][index])
        np.testing.assert_allclose(truth.input_scale / 200, expected['scale'][index])
