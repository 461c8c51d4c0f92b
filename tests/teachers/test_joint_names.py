"""Joints of two datasets are the same where their names say so, and nowhere else."""

from functools import cache
from itertools import permutations
from pathlib import Path

import mmpose
import pytest

from fpd_mmpose.teachers.joint_names import (
    SYNONYMS,
    Joint,
    JointSet,
    find_contradiction,
    is_same,
    match_names,
    parse_name,
)
from fpd_mmpose.teachers.joints import joints_of

DATASETS = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'
#: Datasets of MMPose whose joints are only numbered.
NUMBERED = {'300vw', '300w', '300wlp', 'aflw', 'cofw', 'deepfashion2', 'lapa', 'wflw'}

SPELLINGS = ['left_ankle', 'L_Ankle', 'l_ankle', 'LAnkle', 'leftAnkle', 'ankleL']
SPELLINGS += ['Ankle_Left', 'LEFT-ANKLE', 'left ankle', 'Left Ankle']


@cache
def skeleton(name):
    metainfo = dict(from_file=str(DATASETS / f'{name}.py'))
    return joints_of(dict(model=dict(metainfo=metainfo)))


def all_names():
    return sorted(path.stem for path in DATASETS.glob('*.py'))


def matched(mine, theirs):
    mine, theirs = skeleton(mine), skeleton(theirs)
    return {
        mine.names[joint]: theirs.names[other]
        for joint, other in enumerate(match_names(mine, theirs))
        if other is not None
    }


class TestSpelling:
    @pytest.mark.parametrize('name', SPELLINGS)
    def test_of_a_side_may_be_any(self, name):
        assert parse_name(name) == Joint('left', 'ankle', None)

    @pytest.mark.parametrize(
        ('name', 'joint'),
        [
            ('rightHip', Joint('right', 'hip', None)),
            ('top_head', Joint(None, 'headtop', None)),
            ('HeadTop', Joint(None, 'headtop', None)),
            ('mid_hip', Joint(None, 'pelvis', None)),
            ('TailBase', Joint(None, 'rootoftail', None)),
            ('Root of tail', Joint(None, 'rootoftail', None)),
            ('L_F_Paw', Joint('left', 'frontpaw', None)),
            ('right_back_paw', Joint('right', 'backpaw', None)),
            ('forelegR3', Joint('right', 'foreleg', 3)),
            ('left_forefinger1', Joint('left', 'forefinger', 1)),
            ('L_Index_1', Joint('left', 'forefinger', 1)),
            ('R_Big_toe', Joint('right', 'bigtoe', None)),
            ('medial_right_bow', Joint('right', 'medialbow', None)),
            ('kpt-07', Joint(None, 'kpt', 7)),
        ],
    )
    def test_is_read(self, name, joint):
        assert parse_name(name) == joint

    def test_of_two_joints_of_a_dataset_is_never_the_same(self):
        for name in all_names():
            joints = [parse_name(joint) for joint in skeleton(name).names]
            assert len(set(joints)) == len(joints), name

    def test_of_every_synonym_is_in_a_dataset(self):
        used = {name for dataset in all_names() for name in skeleton(dataset).names}
        used = {name.lower().replace('_', '') for name in used}
        assert set(SYNONYMS) <= used


class TestMatching:
    @pytest.mark.parametrize(
        ('mine', 'theirs', 'count'),
        [
            ('mpii', 'coco', 12),
            ('coco', 'coco_wholebody', 17),
            ('coco', 'ubody3d', 17),
            ('crowdpose', 'aic', 14),
            ('posetrack18', 'campus', 14),
            ('ak', 'coco', 14),
            ('ap10k', 'atrw', 11),
            ('halpe', 'panoptic_body3d', 19),
            ('halpe26', 'mpii', 13),
            ('rhd2d', 'freihand2d', 21),
            ('interhand3d', 'coco_wholebody', 42),
            ('coco_wholebody_face', 'coco_wholebody', 68),
            ('coco_wholebody', 'coco_wholebody_openpose', 133),
            ('ubody3d', 'coco_wholebody', 63),
            ('300w', 'cofw', 0),
            ('coco_wholebody_hand', 'coco_wholebody', 0),
        ],
    )
    def test_of_datasets_of_mmpose(self, mine, theirs, count):
        found = matched(mine, theirs)
        assert len(found) == count
        assert {b: a for a, b in found.items()} == matched(theirs, mine)

    def test_between_spellings(self):
        found = matched('ubody3d', 'coco_wholebody')
        assert found['L_Index_1'] == 'left_forefinger1'
        assert found['R_Small_toe'] == 'right_small_toe'
        assert matched('aic', 'crowdpose')['head_top'] == 'top_head'
        assert matched('ap10k', 'atrw')['L_F_Paw'] == 'left_front_paw'

    def test_of_halpe_takes_its_hip_for_the_middle(self):
        assert matched('halpe26', 'mpii')['hip'] == 'pelvis'
        assert 'Hip' not in matched('horse10', 'halpe26')

    def test_never_uses_numbers_alone(self):
        for mine, theirs in permutations(sorted(NUMBERED), 2):
            assert not matched(mine, theirs)

    def test_compares_how_a_part_is_numbered(self):
        # Face_1 to Face_72 are other points than face-0 to face-67.
        assert not any('ace' in name for name in matched('ubody3d', 'coco_wholebody'))
        # zebra's foot, and the first of four joints of a leg.
        assert set(matched('zebra', 'locust')) == {'neck'}

    def test_leaves_out_a_word_for_several_places(self):
        assert 'head' not in matched('jhmdb', 'halpe26')

    def test_leaves_out_two_joints_of_one_name(self):
        mine = JointSet(['left_eye', 'nose'])
        theirs = JointSet(['L_Eye', 'left eye', 'nose'])
        assert match_names(mine, theirs) == [None, 2]


class TestSameSkeletons:
    @pytest.mark.parametrize('name', all_names())
    def test_of_one_dataset(self, name):
        assert is_same(skeleton(name), skeleton(name))

    def test_of_datasets_that_share_their_points(self):
        assert is_same(skeleton('300w'), skeleton('300vw'))
        assert is_same(skeleton('coco'), skeleton('ochuman'))

    def test_need_more_than_equal_numbers(self):
        # They have 68 points of the same names, but only one has a flip table.
        assert not is_same(skeleton('300w'), skeleton('300wlp'))
        names = [f'kpt-{index}' for index in range(4)]
        mine = JointSet(names, [1, 0, 2, 3], 'mine')
        assert not is_same(mine, JointSet(names, [0, 1, 3, 2], 'theirs'))
        mine, theirs = (JointSet(names, range(4), name) for name in ('mine', 'theirs'))
        assert is_same(mine, mine) and not is_same(mine, theirs)


class TestContradictions:
    def test_are_in_no_two_datasets_of_mmpose(self):
        for mine, theirs in permutations(map(skeleton, all_names()), 2):
            found = match_names(mine, theirs)
            assert find_contradiction(found, mine, theirs) is None

    @pytest.mark.parametrize(
        ('flips', 'text'),
        [
            ([2, 1, 0, 3], '"L_Eye" becomes "Nose" in a mirrored image'),
            ([0, 1, 3, 2], '"L_Eye" becomes "L_Eye" in a mirrored image'),
        ],
    )
    def test_of_a_side_are_found(self, flips, text):
        mine = JointSet(['left_eye', 'right_eye', 'nose', 'chin'], [1, 0, 2, 3])
        theirs = JointSet(['L_Eye', 'R_Eye', 'Nose', 'Chin'], flips)
        joint_map = match_names(mine, theirs)
        assert joint_map == [0, 1, 2, 3]
        assert find_contradiction(joint_map, mine, theirs) == text

    def test_of_joints_without_a_side_are_found(self):
        names = ['left_eye', 'right_eye', 'nose', 'chin']
        mine, theirs = JointSet(names, [1, 0, 2, 3]), JointSet(names, [1, 0, 3, 2])
        assert not is_same(mine, theirs)
        assert find_contradiction([0, 1, 2, 3], mine, theirs) == (
            '"nose" of the student becomes "nose" in a mirrored image, and "nose" of '
            'the teacher becomes "chin"'
        )

    def test_need_two_flip_tables(self):
        names = ['left_eye', 'right_eye']
        mine, theirs = JointSet(names, [1, 0]), JointSet(names[::-1], [0, 1])
        assert find_contradiction([1, 0], mine, theirs) is None
