"""What a weight file says of joints is used as a whole, or not at all."""

import copy
from pathlib import Path

import mmpose
import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from fpd_mmpose.weights.joint_metadata import sound_metainfo

CONFIGS = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'


@pytest.fixture
def meta() -> dict:
    return parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))


def test_that_of_every_dataset_of_mmpose_is_used():
    files = sorted(CONFIGS.glob('*.py'))
    assert len(files) > 50
    for file in files:
        found = parse_pose_metainfo(dict(from_file=str(file)))
        assert (sound_metainfo(found) or {}).keys() == found.keys(), file


@pytest.mark.parametrize(
    'change',
    [
        dict(num_keypoints=18),
        dict(num_keypoints=17.0),
        dict(num_keypoints=None),
        dict(keypoint_id2name=['nose'] * 17),
        dict(keypoint_name2id={}),
        dict(flip_indices=list(range(18))),
        dict(flip_indices=[17] * 17),
        dict(flip_indices=['0'] * 17),
        dict(flip_pairs=[(1, 20)]),
        dict(upper_body_ids=[0.5]),
        dict(skeleton_links=[[0, 1]]),
        dict(skeleton_links=3),
        dict(skeleton_link_colors=np.zeros((19, 2))),
        dict(keypoint_colors=np.full((17, 3), 300)),
        dict(sigmas=np.full(17, np.nan)),
        dict(dataset_keypoint_weights=np.ones(18)),
    ],
    ids=str,
)
def test_a_damaged_one_is_not(meta, change):
    assert sound_metainfo({**meta, **change}) is None


@pytest.mark.parametrize('other', [None, 3, 'x', [], {}, dict(num_keypoints=10**400)])
def test_nor_is_another_value(other):
    assert sound_metainfo(other) is None


def test_loaders_leave_a_damaged_one_and_other_fields_out(meta, tmp_path):
    def loaded(stored) -> dict:
        content = {'state_dict': {}, 'meta': dict(dataset_meta=stored)}
        torch.save(content, tmp_path / 'a.pth')
        return CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))['meta']

    kept = loaded({**copy.deepcopy(meta), 'img': 'x', 'bbox': [0, 0, 1, 1]})
    assert kept['dataset_meta'].keys() == meta.keys()
    assert not loaded({**meta, 'sigmas': 'x'})
    assert not loaded('x')
    assert loaded(dict(classes=('person',)))['dataset_meta'] == dict(
        classes=('person',)
    )
