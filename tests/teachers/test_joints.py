"""A teacher with another skeleton teaches the joints that both networks have."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.config import load_config
from fpd_mmpose.teachers import live
from fpd_mmpose.teachers.joint_names import JointSet
from fpd_mmpose.teachers.joints import (
    as_table,
    joints_of,
    joints_of_student,
    resolve_joint_map,
)
from tests.helpers.reduced import reduced_distiller, reduced_teacher
from tests.helpers.rounding import assert_same

MPII = 'configs/hourglass/hg4_128_mpii.py'
COCO = 'configs/hrnet/hrnet_w32_coco_256x192.py'
#: The index of COCO's heatmap of each joint of MPII.
COCO_FOR_MPII = [16, 14, 12, 11, 13, 15, None, None, None, None, 10, 8, 6, 5, 7, 9]


def resolve(given=None, mine=3, theirs=3, my_joints=None, their_joints=None):
    return resolve_joint_map(given, mine, theirs, my_joints, their_joints, 't.py')


def named(*names, flips=None):
    return JointSet(names, flips)


def joint_names(config):
    return joints_of(config).names


class TestNames:
    def test_come_from_the_datasets_of_a_config(self):
        mpii, coco = joint_names(load_config(MPII)), joint_names(load_config(COCO))
        assert len(mpii) == 16 and mpii[0] == 'right_ankle' and mpii[9] == 'head_top'
        assert len(coco) == 17 and coco[0] == 'nose' and coco[16] == 'right_ankle'

    def test_come_from_a_stock_config(self):
        name = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        config = load_config(name + 'td-hm_res50_8xb64-210e_coco-256x192.py')
        assert joint_names(config) == joint_names(load_config(COCO))

    def test_come_from_inside_combined_datasets(self):
        config = load_config(MPII)
        config.train_dataloader.dataset = dict(
            type='RepeatDataset', dataset=config.train_dataloader.dataset, times=2
        )
        assert joint_names(config) == joint_names(load_config(MPII))

    def test_are_unknown_without_a_dataset(self):
        assert joints_of(dict(model=dict(type='TopdownPoseEstimator'))) is None

    def test_come_from_the_metainfo_of_a_model(self):
        metainfo = dict(from_file='configs/_base_/datasets/coco.py')
        names = joint_names(dict(model=dict(metainfo=metainfo)))
        assert names == joint_names(load_config(COCO))

    def test_come_from_the_metainfo_of_a_student(self, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.metainfo = dict(from_file='configs/_base_/datasets/mpii.py')
        student = MODELS.build(config.model)
        joints = joints_of_student(student, 'checkpoint', 'of another run.pth')
        assert joints == joints_of(load_config(MPII))

    def test_of_a_student_come_only_from_the_config_of_its_run(
        self, mpii_root, tmp_path
    ):
        config = reduced_distiller(mpii_root, tmp_path)
        hub = MessageHub.get_instance('names_of_a_run')
        hub.update_info('cfg', config.pretty_text)
        student = SimpleNamespace(metainfo=None)
        checkpoint = config.model.teacher.checkpoint
        joints = joints_of_student(student, 'checkpoint', checkpoint)
        assert joints.names[0] == 'right_ankle' and joints.flips[0] == 5
        assert joints.dataset == 'mpii'
        assert joints_of_student(student, 'checkpoint', 'of another run.pth') is None


class TestResolving:
    def test_coco_teaches_12_joints_of_mpii(self):
        joints = [joints_of(load_config(name)) for name in (MPII, COCO)]
        assert resolve(None, 16, 17, *joints) == COCO_FOR_MPII

    def test_equal_skeletons_need_no_map(self):
        joints = named('a', 'b', 'c')
        assert resolve(None, 3, 3, joints, joints) is None
        # Its names may be those of joints before a transform changes them.
        assert resolve(None, 4, 4, joints, joints) is None

    def test_another_order_is_found_by_name(self):
        found = resolve(None, 3, 3, named('a', 'b', 'c'), named('c', 'a', 'b'))
        assert found == [1, 2, 0]

    def test_another_spelling_needs_no_map(self):
        mine, theirs = named('left_eye', 'head_top'), named('L_Eye', 'top head')
        assert resolve(None, 2, 2, mine, theirs) is None

    def test_without_names_equal_numbers_of_joints_keep_their_order(self):
        assert resolve() is None
        assert resolve(my_joints=named('a', 'b', 'c')) is None

    def test_a_given_map_takes_precedence(self):
        given = [None, 2, 0]
        joints = named('a', 'b', 'c')
        assert resolve(given, 3, 3, joints, joints) == given

    @pytest.mark.parametrize(
        ('settings', 'message'),
        [
            (dict(mine=16, theirs=17), 'has 17 joints and the student 16: set'),
            (
                dict(given=[0]),
                'one entry for each of the 3 joints of the student, got 1$',
            ),
            (dict(given=[0, 1, 3]), 'has 3, which is not a heatmap .* 0 to 2'),
            (dict(given=[0, 1, -1]), 'has -1, which is not a heatmap'),
            (dict(given=[0, 1, True]), 'has True, which is not a heatmap'),
            (dict(given=[0, 1, '2']), "has '2', which is not a heatmap"),
            (dict(given=[0, None, 0]), 'uses a heatmap of the teacher twice'),
            (dict(given=[None] * 3), 'has None for every joint'),
            (
                dict(my_joints=named('a', 'b', 'c'), their_joints=named('x', 'y', 'z')),
                r"the student's joints \(a, b, c, ...\) do not tell which joints of "
                r'teacher t.py they are \(x, y, z, ...\): set model.teacher.joint_map',
            ),
            (
                dict(my_joints=named('a', 'b'), their_joints=named('a', 'b', 'c')),
                'the dataset of the student names 2 joints for its 3 heatmaps: set',
            ),
            (
                dict(
                    my_joints=named('left_eye', 'right_eye', 'nose', flips=[1, 0, 2]),
                    their_joints=named('L_Eye', 'R_Eye', 'Nose', flips=[2, 1, 0]),
                ),
                '"L_Eye" becomes "Nose" in a mirrored image; set model.teacher.joint',
            ),
        ],
    )
    def test_errors_name_the_fault(self, settings, message):
        with pytest.raises(ValueError, match=message) as info:
            resolve(**settings)
        assert '\n' not in str(info.value)

    def test_the_table_names_every_joint(self):
        lines = as_table([1, None], ['knee', 'hip'], ['nose', 'knee']).splitlines()
        assert [line.split() for line in lines[1:]] == [
            ['0', 'knee', '1', 'knee'],
            ['1', 'hip', 'none:', 'not', 'distilled'],
        ]


class TestTeaching:
    def test_joints_that_the_teacher_lacks_get_no_term(self, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        joint_map = [None, *range(15)]
        config.model.teacher.joint_map = joint_map
        model = MODELS.build(config.model)
        model.teacher.prepare(model)
        images = torch.randn(2, 3, 64, 64)
        target = model.teacher.teach(images).values
        assert not target[:, 0].any() and target[:, 1:].any()
        stages = [torch.randn(2, 16, 16, 16, requires_grad=True)]
        has_joint = model.teacher.has_joint(target.device)
        loss = model.distill_loss(stages, target, None, has_joint)
        loss.backward()
        assert not stages[0].grad[:, 0].any() and stages[0].grad[:, 1:].any()
        squares = ((stages[0] - target) ** 2)[:, 1:].sum() / stages[0].numel()
        assert_same(loss, 0.5 * squares)

    def test_a_run_maps_by_name_and_shows_the_table(
        self, mpii_root, tmp_path, monkeypatch
    ):
        config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
        teacher = dict(config.model.teacher)
        # The same network, but its config lists the joints in another order.
        dataset = dict(type='CocoDataset', metainfo=dict(dataset_name='shuffled'))
        names = joint_names(load_config(MPII))[::-1]
        dataset['metainfo'].update(
            keypoint_info={
                index: dict(name=name, id=index, color=[0, 0, 0], type='', swap='')
                for index, name in enumerate(names)
            },
            skeleton_info={},
            joint_weights=[1.0] * 16,
            sigmas=[0.1] * 16,
        )
        teacher['config'] = dict(
            teacher['config'], train_dataloader=dict(dataset=dataset)
        )
        config.model.teacher = teacher
        shown = []
        monkeypatch.setattr(
            'fpd_mmpose.teachers.live.print_log',
            lambda text, **_: shown.append(text),
        )
        runner = Runner.from_cfg(config)
        runner.train()
        assert runner.model.teacher.has_joint(torch.device('cpu')) is None
        assert '0 right_ankle' in shown[-1] and '15 right_ankle' in shown[-1]
        images = torch.randn(1, 3, 64, 64)
        direct = reduced_teacher_heatmaps(runner, images)
        found = runner.model.teacher.teach(images).values
        assert_same(found, direct.flip(1))

    def test_a_given_map_does_not_need_names(self, mpii_root, tmp_path, monkeypatch):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.teacher = reduced_teacher(tmp_path)
        config.model.teacher['joint_map'] = list(range(15, -1, -1))
        monkeypatch.setattr(
            live, 'joints_of_student', lambda *_: JointSet(['other'] * 16)
        )
        model = MODELS.build(config.model)
        model.teacher.prepare(model)
        images = torch.randn(1, 3, 64, 64)
        found = model.teacher.teach(images).values
        with torch.no_grad():
            direct = model.teacher.model(images, None)[-1]
        assert_same(found, direct.flip(1))


def reduced_teacher_heatmaps(runner: Runner, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return runner.model.teacher.model(images, None)[-1]
