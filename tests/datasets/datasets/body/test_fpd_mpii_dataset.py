"""MPII is read with the coordinates of the reference."""

import copy
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.datasets import MpiiDataset
from mmpose.datasets.transforms import GetBBoxCenterScale
from mmpose.registry import DATASETS
from PIL import Image
from scipy.io import loadmat, savemat

from fpd_mmpose.config import config_root
from fpd_mmpose.datasets import FPDMpiiDataset
from tests.helpers.coco_data import own_skeleton
from tests.helpers.refusals import refused
from tests.helpers.rounding import EPSILON

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
def test_keypoints_are_0_based_in_training_and_testing(mpii_root, split):
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


@pytest.mark.parametrize(
    'flags, labeled',
    [
        ([0, 1, 2] * 5 + [2], [0, 1, 1] * 5 + [1]),  # as in COCO
        ([-1, 1] * 8, [0, 1] * 8),
        ([0.0, 1.0] * 8, [0, 1] * 8),
    ],
)
def test_a_joint_is_either_labeled_or_not(tmp_path, flags, labeled):
    info = dataset_of(tmp_path, {**PERSON, 'joints_vis': flags})[0]
    np.testing.assert_array_equal(info['keypoints_visible'], [labeled])


def test_other_skeletons_have_the_joints_of_their_metainfo(tmp_path):
    own = own_skeleton(3)
    person = {**PERSON, 'joints': [[90, 70], [99, 80], [110, 95]]}
    person['joints_vis'] = [1, 0, 1]
    info = dataset_of(tmp_path, person, metainfo=own)[0]
    np.testing.assert_array_equal(info['keypoints'], [[[89, 69], [98, 79], [109, 94]]])
    message = refused(dataset_of, tmp_path, PERSON, metainfo=own)
    assert 'expected finite numbers of shape (3, 2)' in message


@pytest.mark.parametrize('apply_exif', [False, True])
def test_photos_are_turned_if_asked_for(tmp_path, apply_exif):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (120, 80)).save(tmp_path / PERSON['image'], exif=exif)
    dataset = dataset_of(
        tmp_path,
        {**PERSON, 'center': [30, 40], 'joints': [[30 + k, 40 + k] for k in range(16)]},
        data_prefix=dict(img=str(tmp_path)),
        pipeline=[dict(type='FPDLoadImage')],
        apply_exif=apply_exif,
    )
    size = (80, 120) if apply_exif else (120, 80)
    assert dataset[0]['img'].shape[1::-1] == size


def test_visibility_can_be_boolean(tmp_path):
    visible = [True, False] * 8
    info = dataset_of(tmp_path, {**PERSON, 'joints_vis': visible})[0]
    np.testing.assert_array_equal(info['keypoints_visible'], [visible])


def test_the_center_is_moved_down_and_scale_1_is_200_pixels(tmp_path):
    info = dataset_of(tmp_path, PERSON)[0]
    np.testing.assert_array_equal(info['bbox_center'], [[99, 80 + 15 * 0.5 - 1]])
    np.testing.assert_array_equal(info['bbox_scale'], [[100, 100]])
    np.testing.assert_array_equal(info['bbox'], [[49, 36.5, 149, 136.5]])
    assert info['bbox_center'].dtype == info['bbox_scale'].dtype == np.float64


def test_a_missing_center_is_not_moved_down(tmp_path):
    person = {**PERSON, 'center': [-1, -1], 'joints_vis': [0] * 16}
    info = dataset_of(tmp_path, person)[0]
    np.testing.assert_array_equal(info['bbox_center'], [[-2, -2]])
    # Its box is not padded in the end; the pipeline pads every box.
    padded = GetBBoxCenterScale(padding=1.25).transform(info)['bbox_scale']
    np.testing.assert_array_equal(padded, [[100, 100]])


def test_it_differs_from_mmpose_only_by_one_pixel_in_the_keypoints(mpii_root):
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
    ids=['words', 'repeated numbers'],
)
def test_image_names_need_not_be_numbers(tmp_path, names):
    people = [{**PERSON, 'image': name} for name in names]
    dataset = dataset_of(tmp_path, *people, data_prefix=dict(img='/images'))
    assert [info['img_path'] for info in dataset] == [f'/images/{n}' for n in names]
    numbers = [info['img_id'] for info in dataset]
    assert all(isinstance(number, int) for number in numbers)
    # People share a number if and only if they share an image.
    assert numbers[6] == numbers[0] and len(set(numbers)) == 6


def test_all_people_of_an_image_are_read(tmp_path):
    people = [{**PERSON, 'scale': scale} for scale in (0.5, 1, 2)]
    dataset = dataset_of(tmp_path, *people, {**PERSON, 'image': '000000002.jpg'})
    assert [info['img_id'] for info in dataset] == [1, 1, 1, 2]
    assert [info['id'] for info in dataset] == [0, 1, 2, 3]
    assert dataset[2]['bbox_scale'].tolist() == [[400, 400]]


# --- Head boxes --------------------------------------------------------------------


def test_the_head_size_is_0_6_of_the_diagonal_of_the_head_box(tmp_path):
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
def test_head_boxes_are_found_in_data_root_or_by_absolute_path(
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


def test_head_boxes_can_be_relative_to_the_working_directory(mpii_root, monkeypatch):
    # As in MpiiDataset.
    monkeypatch.chdir(mpii_root.parent)
    settings = copy.deepcopy(VAL)
    settings['headbox_file'] = f'{mpii_root.name}/{VAL["headbox_file"]}'
    dataset = FPDMpiiDataset(data_root=mpii_root.name, **settings)
    assert len(dataset) == 6 and 'head_size' in dataset[0]


# --- Errors ------------------------------------------------------------------------


def refusal(**settings: Any) -> str:
    return refused(FPDMpiiDataset, **settings)


def test_a_missing_annotation_file(tmp_path):
    message = refusal(data_root=str(tmp_path), ann_file='annotations/mpii_val.json')
    assert f'"{tmp_path}/annotations/mpii_val.json" does not exist' in message


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'is empty'),
        (b'[{"image": ', 'is not valid JSON'),
        (b'\xff\xd8\xff\xe0 JFIF', 'is not UTF-8 text'),
    ],
)
def test_an_annotation_file_that_is_not_json(tmp_path, content, reason):
    path = tmp_path / 'people.json'
    path.write_bytes(content)
    assert f'"{path}" {reason}' in refusal(ann_file=str(path))


def test_coco_annotations_are_recognized(tmp_path):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps({'images': [], 'annotations': []}))
    assert 'it looks like COCO' in refusal(ann_file=str(path))


def test_coco_detections_do_not_count_as_people_without_joints(tmp_path):
    path = tmp_path / 'people.json'
    detection = dict(image_id=1, category_id=1, bbox=[1, 2, 3, 4], score=1)
    path.write_text(json.dumps([detection]))
    assert 'is not an MPII person: it lacks center' in refusal(ann_file=str(path))


@pytest.mark.parametrize('content', [{}, [], {'images': [], 'annotations': []}, 3])
def test_an_annotation_file_without_people(tmp_path, content):
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
        ({'joints_vis': ['1'] * 16}, 'has no valid joints_vis'),
        ({'joints_vis': [None] * 16}, 'has no valid joints_vis'),
        ({'joints_vis': [1] * 15 + [3]}, 'has a visibility of 3 for keypoint 15'),
        ({'joints_vis': [0.5] * 16}, 'has a visibility of 0.5 for keypoint 0'),
        ({'joints_vis': [-2] * 16}, 'has a visibility of -2 for keypoint 0'),
        ({'center': [1]}, 'has no valid center'),
        ({'center': ['100', '80']}, 'has no valid center'),
        ({'scale': 'large'}, 'has no valid scale'),
        ({'scale': None}, 'has no valid scale'),
        ({'scale': '0.8'}, 'has no valid scale'),
        ({'scale': 0}, 'has a box of no area'),
        ({'scale': -1.5}, 'has a box of no area'),
        ({'scale': float('inf')}, 'has no valid scale'),
        ({'image': 7}, 'has no valid image'),
        ({'image': ''}, 'has no valid image'),
        ({'image': 'a\0b'}, 'has no valid image'),
        (
            {'joints': [[700 + k, 20 + 2 * k] for k in range(16)], 'center': [30, 710]},
            'has joints that are far from its box but inside it with x and y exchanged',
        ),
    ],
    ids=lambda value: '-'.join(value) if isinstance(value, dict) else '',
)
def test_a_record_with_an_invalid_field_is_named(tmp_path, change, message):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps([PERSON, {**PERSON, **change}]))
    assert f'record 1 of "{path}" {message}' in refusal(ann_file=str(path))


@pytest.mark.parametrize('field', ['image', 'center', 'scale', 'joints', 'joints_vis'])
def test_a_record_without_a_field_is_named(tmp_path, field):
    path = tmp_path / 'people.json'
    person = {name: value for name, value in PERSON.items() if name != field}
    path.write_text(json.dumps([PERSON, PERSON, person]))
    message = refusal(ann_file=str(path))
    assert f'record 2 of "{path}" is not an MPII person: it lacks {field}' in message


def test_missing_head_boxes(mpii_root):
    settings = {**copy.deepcopy(VAL), 'headbox_file': 'annotations/absent.mat'}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{mpii_root}/annotations/absent.mat" does not exist' in message


def test_head_boxes_that_are_a_folder(mpii_root, tmp_path):
    path = tmp_path / 'heads.mat'
    path.mkdir()
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(path)}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{path}" is not a file' in message


def test_head_boxes_of_another_split(mpii_root):
    settings = {**copy.deepcopy(VAL), 'ann_file': 'annotations/mpii_train.json'}
    message = refusal(data_root=str(mpii_root), **settings)
    assert 'has head boxes of 6 people' in message and 'has 12 people' in message
    assert 'mpii_gt_val.mat' in message and 'mpii_train.json' in message


@pytest.mark.parametrize('content', [b'', b'not a mat file' * 20, b'MATLAB 7.3'])
def test_head_boxes_in_an_invalid_mat_file(mpii_root, tmp_path, content):
    path = tmp_path / 'heads.mat'
    path.write_bytes(content)
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(path)}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{path}" cannot be read as a MATLAB file' in message


def test_a_mat_file_without_head_boxes(mpii_root, tmp_path):
    savemat(tmp_path / 'heads.mat', {'other': 1})
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(tmp_path / 'heads.mat')}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{tmp_path}/heads.mat" has no `headboxes_src`' in message


def test_a_head_box_of_no_length_is_named(mpii_root, tmp_path):
    boxes = loadmat(mpii_root / VAL['headbox_file'])['headboxes_src']
    boxes[1, :, 4] = boxes[0, :, 4]
    savemat(tmp_path / 'heads.mat', {'headboxes_src': boxes})
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(tmp_path / 'heads.mat')}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'record 4 of "{tmp_path}/heads.mat" has no length' in message


class Bomb:
    def __reduce__(self):
        return os.system, ('touch exploded',)


def test_a_pickle_named_mat_is_not_executed(mpii_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'heads.mat'
    path.write_bytes(pickle.dumps(Bomb()))
    settings = {**copy.deepcopy(VAL), 'headbox_file': str(path)}
    message = refusal(data_root=str(mpii_root), **settings)
    assert f'"{path}" cannot be read as a MATLAB file' in message
    assert not (tmp_path / 'exploded').exists()


# --- Folder layouts ---------------------------------------------------------------


@pytest.fixture
def reference_root(mpii_root, tmp_path) -> Path:
    (tmp_path / 'annot').mkdir()
    for name, twin in [
        ('mpii_train.json', 'train.json'),
        ('mpii_val.json', 'valid.json'),
        ('mpii_gt_val.mat', 'gt_valid.mat'),
    ]:
        shutil.copy(mpii_root / 'annotations' / name, tmp_path / 'annot' / twin)
    (tmp_path / 'images').symlink_to(mpii_root / 'images')
    return tmp_path


@pytest.mark.parametrize(
    ('ann_file', 'headbox_file'),
    [
        ('annotations/mpii_val.json', 'annotations/mpii_gt_val.mat'),
        ('annot/valid.json', 'annot/gt_valid.mat'),
    ],
)
@pytest.mark.parametrize('layout', ['mpii_root', 'reference_root'])
def test_either_layout_is_read_by_either_name(
    request, mpii_root, ann_file, headbox_file, layout
):
    settings = dict(copy.deepcopy(VAL), ann_file=ann_file, headbox_file=headbox_file)
    found = FPDMpiiDataset(
        data_root=str(request.getfixturevalue(layout)), **copy.deepcopy(settings)
    )
    expected = FPDMpiiDataset(data_root=str(mpii_root), **copy.deepcopy(VAL))
    assert len(found) == len(expected) == 6
    for one, other in zip(found, expected, strict=True):
        assert Path(one['img_path']).is_file()
        for name in ('keypoints', 'bbox_center', 'head_size'):
            np.testing.assert_array_equal(one[name], other[name])


def test_a_training_file_in_the_layout_of_the_reference(reference_root):
    dataset = FPDMpiiDataset(
        data_root=str(reference_root), ann_file='annotations/mpii_train.json'
    )
    assert len(dataset) == 12


# --- People without joints ---------------------------------------------------------


TESTED = {name: PERSON[name] for name in ('image', 'center', 'scale')}


def test_people_without_joints_can_be_used_for_testing(tmp_path):
    dataset = dataset_of(tmp_path, TESTED, TESTED, test_mode=True)
    assert len(dataset) == 2 and 'keypoints' not in dataset[0]
    np.testing.assert_array_equal(dataset[0]['bbox_scale'], [[100, 100]])


def test_people_without_joints_cannot_be_used_for_training(tmp_path):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps([TESTED]))
    assert f'"{path}" has no joints' in refusal(ann_file=str(path))


def test_a_record_without_joints_among_others_is_named(tmp_path):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps([PERSON, TESTED]))
    message = refusal(ann_file=str(path), test_mode=True)
    assert f'record 1 of "{path}" is not an MPII person' in message


def test_every_record_is_kept_as_in_the_reference(tmp_path):
    nothing = dict(joints=[[-1.0, -1.0]] * 16, joints_vis=[0] * 16)
    assert len(dataset_of(tmp_path, {**PERSON, **nothing}, PERSON)) == 2


def test_all_of_mpii_val_is_read(shared):
    path = shared / 'data/mpii_eval/mpii_val.json'
    assert len(FPDMpiiDataset(str(path))) == 2958


def test_a_swapped_file_is_an_error(shared, tmp_path):
    people = people_of(shared / 'data/mpii_eval/mpii_val.json')[:20]
    for person in people:
        person['joints'] = [joint[::-1] for joint in person['joints']]
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(people))
    assert 'were they swapped?' in refusal(ann_file=str(path))


def test_a_swapped_file_of_small_images_is_an_error(tmp_path):
    # Too near the diagonal of the image for one person to be noticed.
    people = [
        {
            **PERSON,
            'center': [60.0, 90.0],
            'scale': 0.8,
            'joints': np.random.normal([60, 90], [10, 25], (16, 2)).tolist(),
        }
        for _ in range(10)
    ]
    assert len(dataset_of(tmp_path, *people)) == 10
    for person in people:
        person['joints'] = [joint[::-1] for joint in person['joints']]
    assert len(dataset_of(tmp_path, *people[:9])) == 9
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(people))
    message = refusal(ann_file=str(path))
    assert f'the joints of "{path}", such as those of record 0, ' in message
    assert 'were they swapped?' in message


@pytest.mark.parametrize('split', ['train', 'val'])
def test_people_in_small_images_do_not_count_as_swapped(shared, split):
    path = shared / f'data/lspet/annotations/mpii_{split}.json'
    assert len(FPDMpiiDataset(str(path))) == len(people_of(path))


# --- The whole pipeline ------------------------------------------------------------


def test_crops_and_targets_equal_the_references(shared, tmp_path):
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
        # NumPy's exp may be off by four units in the last place, elsewhere by others.
        np.testing.assert_allclose(
            truth.gt_fields.heatmaps, expected['target'][index], rtol=4 * EPSILON
        )
        np.testing.assert_array_equal(
            truth.gt_instance_labels.keypoint_weights[0],
            expected['target_weight'][index, :, 0],
        )
        crop = packed['inputs'].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(crop, expected['patch_bgr'][index])
        np.testing.assert_allclose(truth.input_center, expected['center'][index])
        np.testing.assert_allclose(truth.input_scale / 200, expected['scale'][index])
