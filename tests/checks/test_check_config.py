"""The check finds what would make a run fail."""

import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.datasets.datasets import CocoDataset
from scipy.io import loadmat, savemat

from fpd_mmpose.checks import Report, check
from fpd_mmpose.cli import main as fpd
from fpd_mmpose.config import leaf_datasets, load_config, set_data_root, splits_of
from tests.helpers.check_data import (
    HEADS,
    TRAIN,
    VAL,
    config_of,
    edit,
    image_of,
    only,
)
from tests.helpers.coco_data import write_coco


def test_valid_data_are_counted_without_problems(root):
    edit(root / TRAIN, lambda people: people[0]['joints_vis'].__setitem__(3, 0))
    report = check(config_of(root))
    assert not report.problems and not report.warnings
    assert report.verdict == 'OK: the run can start (0 warnings)'
    assert list(report.sections) == ['train', 'val, test']
    train, val = report.sections.values()
    assert train['people'] == train['images'] == 12 and val['people'] == 6
    annotated = sum(
        sum(person['joints_vis']) for person in json.loads((root / TRAIN).read_text())
    )
    assert train['annotated joints'].startswith(f'{annotated} of {12 * 16} ')
    assert train['opened images'] == '12 of 12'
    assert train['image sizes'] == '200 x 200 to 200 x 200'
    assert train['joints off their image'] == f'0 of {annotated}'
    assert train['pipeline'].startswith('a batch of 8 x 3 x 256 x 256')
    assert val['pipeline'].startswith('a batch of 6 x 3 x 256 x 256')
    assert val['headbox_file'] == str(root / HEADS)


def test_the_layout_of_the_reference_is_accepted(root):
    for name, other in (
        (TRAIN, 'train.json'), (VAL, 'valid.json'), (HEADS, 'gt_valid.mat')
    ):  # fmt: skip
        (root / 'annot').mkdir(exist_ok=True)
        (root / name).rename(root / 'annot' / other)
    report = check(config_of(root))
    assert not report.problems
    assert report.sections['train']['ann_file'] == str(root / 'annot/train.json')


def test_a_sample_of_images_is_opened_and_all_must_exist(root):
    report = check(config_of(root), images=5)
    assert report.sections['train']['opened images'] == '5 of 12'
    assert report.sections['val, test']['opened images'] == '5 of 6'
    again = check(config_of(root), images=5)
    for title, figures in report.sections.items():
        del figures['pipeline'], again.sections[title]['pipeline']
    assert report == again
    image_of(root, TRAIN, 7).unlink()
    report = check(config_of(root), images=1)
    assert 'record 7 ' in only(report.problems)


def test_a_split_without_a_dataloader_is_skipped(root):
    config = config_of(root)
    config.test_dataloader = None
    assert list(check(config).sections) == ['train', 'val']


@pytest.mark.parametrize('wrapper', ['RepeatDataset', 'ConcatDataset'])
def test_datasets_inside_wrappers_are_checked(root, wrapper):
    config = config_of(root)
    inner = config.train_dataloader.dataset
    if wrapper == 'RepeatDataset':
        config.train_dataloader.dataset = dict(type=wrapper, times=2, dataset=inner)
        titles = ['train', 'val, test']
    else:
        config.train_dataloader.dataset = dict(
            type=wrapper, datasets=[inner, dict(inner, ann_file=VAL)]
        )
        titles = ['train 1 of 2', 'train 2 of 2', 'train', 'val, test']
    report = check(config)
    assert not report.problems and list(report.sections) == titles
    assert report.sections[titles[0]]['people'] == 12
    assert 'a batch of 8 x 3 x 256 x 256' in report.sections['train']['pipeline']
    (root / TRAIN).write_text('[]')
    assert f'{titles[0]}: ' in only(check(config).problems)


def test_a_combined_dataset_runs_its_own_pipeline(root):
    config = config_of(root)
    loader = config.train_dataloader
    inner = {**loader.dataset, 'pipeline': []}
    loader.dataset = dict(
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[inner, inner],
        pipeline=loader.dataset.pipeline,
    )
    report = check(config)
    assert 'a batch of 8 x 3 x 256 x 256' in report.sections['train']['pipeline']
    loader.dataset.pipeline[0] = dict(type='NoSuchTransform')
    problem = only(check(config).problems)
    assert problem.startswith('train: ') and 'NoSuchTransform' in problem


# --- Files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'titles', 'hint'),
    [
        (TRAIN, ['train'], 'annot/train.json'),
        (VAL, ['val, test'], 'annot/valid.json'),
        (HEADS, ['val, test'], 'annot/gt_valid.mat'),
        ('images', ['train', 'val, test'], 'mpii_human_pose_v1.tar.gz'),
    ],
)
def test_a_missing_file_is_reported_with_its_path_and_source(root, name, titles, hint):
    shutil.move(root / name, root / 'elsewhere')
    report = check(config_of(root))
    assert len(report.problems) == len(titles)
    for problem, title in zip(report.problems, titles, strict=True):
        assert problem.startswith(f'{title}: ')
        for part in (f'"{root / name}" is missing', hint, 'docs/howto/data.md'):
            assert part in problem
    assert report.verdict.endswith('the run would fail')
    if name != TRAIN:
        assert report.sections['train']['people'] == 12, 'the rest is still checked'


def test_set_data_root_moves_the_files_of_metrics_too(root):
    config = load_config('hourglass/hg4_128_mpii.py')
    config.val_evaluator = dict(type='MpiiPCKh', gt_file='data/mpii/' + HEADS)
    config.val_dataloader.dataset.headbox_file = 'data/mpii/' + HEADS
    set_data_root(config, root)
    assert config.val_evaluator.gt_file == str(root / HEADS)
    assert config.val_dataloader.dataset.headbox_file == str(root / HEADS)
    for _, loader in splits_of(config):
        for settings in leaf_datasets(loader['dataset']):
            assert settings['data_root'] == str(root)
    with pytest.raises(ValueError, match='the data root ".*nowhere" is not a folder'):
        set_data_root(config, root / 'nowhere')


# --- Annotations -------------------------------------------------------------------


@pytest.mark.parametrize('content', ['', '[]', '{"a": 1}', '[{"image": "0.jpg"'])
def test_an_invalid_annotation_file(root, content):
    (root / TRAIN).write_text(content)
    problem = only(check(config_of(root)).problems)
    assert problem.startswith('train: ') and str(root / TRAIN) in problem


def test_head_boxes_of_other_people(root):
    boxes = loadmat(root / HEADS)['headboxes_src']
    savemat(root / HEADS, {'headboxes_src': boxes[..., :-1]})
    assert str(root / HEADS) in only(check(config_of(root)).problems)


def test_people_without_any_annotated_joint(root):
    def hide(people):
        for person in people:
            person['joints_vis'] = [0] * 16

    edit(root / TRAIN, hide)
    assert 'no joint of any person is annotated' in ' '.join(
        check(config_of(root)).problems
    )


def test_repeated_people(root):
    edit(root / TRAIN, lambda people: people.extend([people[4], people[4]]))
    warning = only(check(config_of(root)).warnings)
    assert 'people with the image and box of another: 2,' in warning
    assert 'the first is record 12, a repetition of record 4 ' in warning


# --- Pipeline, model and metrics ---------------------------------------------------


@pytest.mark.parametrize(
    ('position', 'step', 'message'),
    [
        (0, dict(type='NoSuchTransform'), 'its pipeline is wrong'),
        (0, dict(type='RandomFlip', prob=1.0), 'fails on record 0'),
        (-1, dict(type='RandomFlip', prob=0.0), 'cannot form a batch'),
    ],
)
def test_a_wrong_pipeline_is_reported(root, position, step, message):
    config = config_of(root)
    config.val_dataloader.dataset.pipeline[position] = step
    problem = only(check(config).problems)
    assert problem.startswith('val: ') and message in problem


def test_missing_files_of_the_model(root, tmp_path):
    config = config_of(root, 'fpd/hg4_128_fpd_mpii.py')
    config.load_from = str(tmp_path / 'student.pth')
    config.model.teacher.checkpoint = 'https://example.org/teacher.pth'
    config.model.teacher.config = 'nowhere.py'
    config.model.init_cfg = dict(type='Pretrained', checkpoint='no.pth')
    report = check(config)
    for option, path in (
        ('load_from', config.load_from),
        ('model.init_cfg.checkpoint', 'no.pth'),
    ):
        assert any(
            problem.startswith(f'{option}: "{path}" does not exist')
            for problem in report.problems
        )
        assert 'MISSING' in report.sections['model'][option]
    assert any(
        problem.startswith('model.teacher.config: config "nowhere.py"')
        for problem in report.problems
    )
    assert len(report.problems) == 3
    url = report.sections['model']['model.teacher.checkpoint']
    assert 'example.org' in url and 'not downloaded' in url
    Path(config.load_from).touch()
    assert len(check(config).problems) == 2


def test_missing_files_and_unknown_names_of_metrics(root):
    config = config_of(root)
    config.val_evaluator = dict(type='MpiiPCKh', gt_file=str(root / 'nowhere.mat'))
    assert 'val_evaluator: `gt_file`' in only(check(config).problems)
    config.val_evaluator = dict(type='MpiiPCKh')
    config.default_hooks.checkpoint.save_best = 'coco/AP'
    problem = only(check(config).problems)
    assert 'save_best' in problem and '"coco/AP"' in problem and 'PCKh/' in problem
    config.default_hooks.checkpoint.save_best = 'auto'
    config.val_evaluator = [dict(type='MpiiPCKh')]
    assert not check(config).problems
    config.val_evaluator = dict(type='NoSuchMetric')
    assert 'no metric NoSuchMetric' in only(check(config).problems)


# --- Other data --------------------------------------------------------------------


def test_coco_with_annotated_and_detected_boxes(shared, root):
    config = config_of(root)
    sample = shared / 'data' / 'coco_sample'
    config.val_dataloader.dataset = dict(
        type='CocoDataset',
        data_root=str(sample),
        ann_file='test_coco.json',
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=config.val_dataloader.dataset.pipeline,
    )
    config.test_dataloader = {**config.val_dataloader}
    config.test_dataloader.dataset = {
        **config.val_dataloader.dataset,
        'bbox_file': str(sample / 'test_coco_det_AP_H_56.json'),
    }
    report = check(config)
    assert not report.problems
    val, test = report.sections['val'], report.sections['test']
    assert val['images'] == test['images'] == 4 and val['people per image'] > 1
    assert test['annotated joints'] == 'none: boxes without keypoints'
    config.test_dataloader.dataset.bbox_file = str(sample / 'no.json')
    problem = only(check(config).problems)
    assert problem.startswith('test: `bbox_file`') and 'person detections' in problem


def test_joints_in_another_order_than_in_the_metainfo(tmp_path):
    write_coco(tmp_path)
    config = load_config('hourglass/hg4_128_coco_256x192.py')
    set_data_root(config, tmp_path)
    assert not [w for w in check(config).warnings if 'order' in w]
    file = tmp_path / 'annotations/person_keypoints_train2017.json'
    content = json.loads(file.read_text())
    names = list(CocoDataset(lazy_init=True).metainfo['keypoint_id2name'].values())
    names[1:3] = names[2:0:-1]
    content['categories'][0]['keypoints'] = names
    file.write_text(json.dumps(content))
    (warning,) = [w for w in check(config).warnings if 'order' in w]
    assert warning.startswith(f'train: "{file}" has the joints in another order')
    assert 'joint 1 is "right_eye" there, and "left_eye" here' in warning


# --- The report and the command ----------------------------------------------------


def test_the_text_ends_with_the_verdict(tmp_path):
    report = Report('a.py', {'train': {'people': 12345, 'people per image': 1.5}})
    assert str(report).splitlines()[:4] == [
        'a.py', '', 'train', '  people            12,345'
    ]  # fmt: skip
    report.problems += ['one']
    report.warnings += ['other']
    text = str(report).splitlines()
    assert text[-1] == '1 problem: the run would fail'
    assert text.index('  - one') < text.index('warnings') < text.index('  - other')
    report.save(tmp_path / 'new' / 'report.json')
    saved = json.loads((tmp_path / 'new' / 'report.json').read_text())
    assert (
        saved['problems'] == ['one'] and saved['sections']['train']['people'] == 12345
    )
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['report.json']


def test_people_of_each_split_are_drawn(root, tmp_path):
    check(config_of(root), pictures=tmp_path / 'pictures')
    pictures = sorted((tmp_path / 'pictures').iterdir())
    assert [path.name for path in pictures][::8] == [
        'train_000000.jpg', 'val_test_000000.jpg'
    ]  # fmt: skip
    assert len(pictures) == 8 + 6
    drawn = cv2.imread(str(pictures[0]))
    plain = cv2.resize(cv2.imread(str(image_of(root, TRAIN, 0))), drawn.shape[1::-1])
    assert (np.abs(drawn.astype(int) - plain).max(axis=-1) > 60).mean() > 0.005


@pytest.mark.slow
def test_the_exit_code_of_the_command(root, tmp_path, capsys):
    main = partial(fpd, command='check')
    given = ['configs/hourglass/hg4_128_mpii.py', '--data-root', str(root)]

    def check(*options: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            main([*given, *options])
        return end.value.code, capsys.readouterr().out

    code, printed = check('--all', '--json', str(tmp_path / 'report.json'))
    assert code == 0
    assert printed.splitlines()[-1] == 'OK: the run can start (0 warnings)'
    assert json.loads((tmp_path / 'report.json').read_text())['problems'] == []
    code, printed = check('--cfg-options', 'train_dataloader.dataset.ann_file=no.json')
    assert code == 1
    assert printed.splitlines()[-1] == '1 problem: the run would fail'
    assert f'"{root / "no.json"}" is missing' in printed
