"""A network that does not suit its data or weights stops the run and is reported."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.checks import check
from fpd_mmpose.config import load_config
from tests.helpers.check_data import only
from tests.helpers.coco_data import write_coco
from tests.helpers.reduced import reduced_config, reduced_distiller
from tests.helpers.refusals import refused


@pytest.fixture
def config(root: Path, tmp_path: Path) -> Config:
    """A plain training with 16 joints and heatmaps of 16 x 16."""
    return reduced_config('hourglass/hg4_128_mpii.py', root, tmp_path / 'run', 1, 16)


@pytest.fixture
def distillation(root: Path, tmp_path: Path) -> Config:
    return reduced_distiller(root, tmp_path, stacks=1, features=16)


def refusal(config: Config) -> str:
    """The message with which the run stops, and which the check reports alone."""
    message = refused(Runner.from_cfg(copy.deepcopy(config)).train)
    problem = only(check(config).problems)
    assert problem.removeprefix('train: ').removeprefix('model: ') == message
    return message


def test_other_joints_than_those_of_the_data(config):
    config.model.backbone.num_joints = 5
    config.model.head.update(in_channels=5, out_channels=5)
    assert refusal(config).startswith(
        'the network returns 5 heatmaps of 16 x 16, and the targets of the training '
        'data are 16 heatmaps of 16 x 16: '
    )


def test_targets_of_another_size(config, distillation):
    for each in (config, distillation):
        (step,) = [
            step for step in each.train_dataloader.dataset.pipeline if 'encoder' in step
        ]
        step.encoder = dict(step.encoder, heatmap_size=(32, 32))
        assert 'data are 16 heatmaps of 32 x 32' in refusal(each)


def coco_training(name: str, root: Path) -> Config:
    """The training of a config of MMPose on a few people."""
    write_coco(root)
    recipe = load_config(f'mmpose::body_2d_keypoint/{name}')
    loader = recipe.train_dataloader
    loader.update(batch_size=4, num_workers=0, persistent_workers=False)
    loader.dataset.data_root = str(root)
    parts = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper')
    return Config({name: recipe[name] for name in parts})


def test_simcc_vectors_of_another_length(tmp_path):
    name = 'simcc/coco/simcc_res50_8xb64-210e_coco-256x192.py'
    config = coco_training(name, tmp_path)
    assert not check(config).problems
    for step in config.train_dataloader.dataset.pipeline:
        if 'encoder' in step:
            step.encoder = dict(step.encoder, simcc_split_ratio=3.0)
    assert (
        'returns SimCC vectors of 384 and 512 values for 17 joints, and the targets of '
        'the training data are SimCC vectors of 576 and 768 values for 17 joints'
    ) in only(check(config).problems)


def test_of_targets_of_several_levels_the_finest_is_compared(tmp_path):
    name = 'topdown_heatmap/coco/td-hm_mspn50_8xb32-210e_coco-256x192.py'
    config = coco_training(name, tmp_path)
    assert not check(config).problems
    config.model.head.update(out_channels=5)
    assert 'returns 5 heatmaps of 48 x 64' in only(check(config).problems)


def test_an_input_that_the_network_cannot_take(config):
    head = config.model.head
    config.model.backbone = dict(type='ResNet', depth=18)
    config.model.head = dict(
        type='HeatmapHead',
        in_channels=7,
        out_channels=16,
        loss=dict(type='KeypointMSELoss'),
        decoder=head.decoder,
    )
    assert 'the network cannot take images of 64 x 64 pixels: ' in refusal(config)


@pytest.mark.parametrize(
    ('change', 'line'),
    [
        (
            {'model.teacher.joint_map': [0, 1]},
            'joint_map must have one entry for each of the 16 joints',
        ),
        ({'model.teacher.checkpoint': 'other.pth'}, '"other.pth" does not fit the net'),
        ({'load_from': 'other.pth'}, '"other.pth" does not fit the network'),
    ],
    ids=str,
)
def test_weights_and_joints_that_do_not_fit(
    change, line, distillation, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    other = dict(type='StackedHourglass', num_stacks=1, num_features=8)
    torch.save({'state_dict': MODELS.build(other).state_dict()}, 'other.pth')
    distillation.merge_from_dict(change)
    assert line in refusal(distillation)


@pytest.mark.parametrize(
    ('change', 'line'),
    [
        ({'model.distill_loss.alpha': 2}, 'distill_loss.alpha must be between 0 and 1'),
        (
            {'model.distill_loss.alpa': 0.5},
            'has no field "alpa" (did you mean "alpha"?)',
        ),
        ({'model.backbone.num_features': 18}, 'num_features to be a multiple of 4'),
    ],
    ids=str,
)
def test_settings_that_no_network_can_have(change, line, distillation):
    distillation.merge_from_dict(change)
    problem = only(check(distillation).problems)
    assert problem.startswith('model: ') and line in problem


def test_a_teacher_that_would_be_downloaded_is_left_out(distillation):
    distillation.model.teacher.checkpoint = 'https://example.org/teacher.pth'
    assert not check(distillation).problems
