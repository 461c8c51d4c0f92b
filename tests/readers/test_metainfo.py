"""Mistakes in a skeleton stop the run, with the file and the joint."""

import copy
from collections.abc import Callable
from pathlib import Path

import mmpose
import pytest
from mmpose.datasets.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from fpd_mmpose.errors import UserError

SKELETON = dict(
    dataset_name='climbers',
    keypoint_info={
        0: dict(name='head', id=0, swap=''),
        1: dict(name='left_hand', id=1, swap='right_hand'),
        2: dict(name='right_hand', id=2, swap='left_hand'),
    },
    skeleton_info={0: dict(link=('head', 'left_hand'), id=0)},
    joint_weights=[1.0] * 3,
    sigmas=[0.05] * 3,
)


def with_mistake(change: Callable[[dict], object]) -> dict:
    skeleton = copy.deepcopy(SKELETON)
    change(skeleton)
    return skeleton


def joint(number: int, **fields: str) -> Callable[[dict], object]:
    return lambda info: info['keypoint_info'][number].update(fields)


MISTAKES = {
    'swap of one side': (
        joint(2, swap=''),
        '"left_hand" has the `swap` "right_hand": give that one the swap "left_hand"',
    ),
    'swap misspelled': (
        joint(2, swap='lefthand'),
        '"right_hand" has the `swap` "lefthand", which is no joint',
    ),
    'name twice': (joint(2, name='head'), 'joints 0 and 2 are both called "head"'),
    'no name': (lambda info: info['keypoint_info'][1].pop('name'), 'joint 1 has no'),
    'gap': (
        lambda info: info['keypoint_info'].update({5: dict(name='foot')}),
        'number the joints in order, from 0 to 3',
    ),
    'link': (
        lambda info: info['skeleton_info'][0].update(link=('head', 'hand')),
        'a link of `skeleton_info` names "hand", which is no joint',
    ),
    'joints in a list': (
        lambda info: info.update(keypoint_info=[*info['keypoint_info'].values()]),
        'number the joints in order, from 0 to 2',
    ),
    'number for the sigmas': (
        lambda info: info.update(sigmas=0.05),
        'a part has another type than in MMPose',
    ),
    'sigmas': (lambda info: info['sigmas'].pop(), '2 `sigmas` for 3 joints'),
    'no sigmas': (lambda info: info.pop('sigmas'), 'it has no `sigmas`'),
}


@pytest.mark.parametrize(('change', 'line'), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_the_file_and_the_joint(change, line, tmp_path):
    file = tmp_path / 'joints.py'
    file.write_text(f'dataset_info = {with_mistake(change)!r}', encoding='utf-8')
    with pytest.raises(UserError) as info:
        parse_pose_metainfo(dict(from_file=str(file)))
    assert str(info.value).startswith(f'skeleton "{file}": ') and line in str(
        info.value
    )


def test_a_skeleton_in_the_config_is_named_after_its_dataset():
    metainfo = with_mistake(joint(2, swap=''))
    with pytest.raises(UserError, match='the metainfo of dataset "climbers": "left_h'):
        CocoDataset(metainfo=metainfo, lazy_init=True)


@pytest.mark.parametrize(
    ('text', 'line'),
    [
        (None, 'does not exist'),
        ('joints = 3', 'has no `dataset_info`'),
        ('dataset_info = dict(', 'cannot be read: SyntaxError: '),
        ("dataset_info = dict()['a']", "cannot be read: KeyError: 'a'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(text, line, tmp_path):
    file = Path(tmp_path, 'joints.py')
    if text:
        file.write_text(text, encoding='utf-8')
    with pytest.raises(UserError) as info:
        parse_pose_metainfo(dict(from_file=str(file)))
    assert f'skeleton "{file}" {line}' in str(info.value)


def test_skeletons_without_mistakes_are_parsed_as_by_mmpose():
    found = parse_pose_metainfo(copy.deepcopy(SKELETON))
    assert found['flip_indices'] == [0, 2, 1] and found['num_keypoints'] == 3
    # Skeletons that are not scored with OKS have no sigmas.
    assert not parse_pose_metainfo({**SKELETON, 'sigmas': []})['sigmas'].size
    # One of MMPose's own has a swap of one side.
    for name in ('aflw', 'deepfashion2'):
        file = f'{mmpose.__path__[0]}/.mim/configs/_base_/datasets/{name}.py'
        assert parse_pose_metainfo(dict(from_file=file))
