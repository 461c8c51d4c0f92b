"""The recipes are the reference's, and every config builds."""

from pathlib import Path

import pytest
import torch
from mmpose.registry import DATASETS, MODELS
from reduced import reduced_config, run

from fpd_mmpose.paths import config_root, load_config

RECIPES = [
    'hourglass/hg8_256_mpii.py',
    'hourglass/hg4_128_mpii.py',
    'fpd/hg4_128_fpd_mpii.py',
    'fpd/hg4_128_fpd_scratch_mpii.py',
]


@pytest.mark.parametrize('name', RECIPES)
class TestRecipe:
    def test_schedule(self, name):
        config = load_config(config_root() / name)
        assert config.optim_wrapper.optimizer == dict(type='Adam', lr=2.5e-4)
        assert 'clip_grad' not in config.optim_wrapper
        (schedule,) = config.param_scheduler
        assert schedule.type == 'MultiStepLR' and schedule.milestones == [90, 120]
        assert config.train_cfg.max_epochs == 140 and config.train_cfg.by_epoch
        assert config.train_cfg.val_interval == 1
        assert config.train_dataloader.batch_size == 4
        assert config.val_dataloader.batch_size == 32

    def test_data(self, name):
        config = load_config(config_root() / name)
        steps = {t['type']: t for t in config.train_dataloader.dataset.pipeline}
        assert steps['LoadImage']['color_type'] == 'color_ignore_orientation'
        assert steps['GetBBoxCenterScale']['padding'] == 1.25
        assert steps['RandomScaleRotation'] == dict(
            type='RandomScaleRotation', scale_factor=0.25, rotation_factor=30, prob=0.6
        )
        assert steps['RandomFlip']['prob'] == 0.5
        assert steps['TopdownAffine']['input_size'] == (256, 256)
        assert steps['GenerateTarget']['encoder'] == dict(
            type='MSRAHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2
        )
        test_steps = [t['type'] for t in config.test_dataloader.dataset.pipeline]
        assert not any('Random' in step for step in test_steps)

    def test_evaluation(self, name):
        config = load_config(config_root() / name)
        assert config.model.test_cfg == dict(
            flip_test=True, flip_mode='heatmap', shift_heatmap=True
        )
        assert not config.model.data_preprocessor.bgr_to_rgb
        checkpoint = config.default_hooks.checkpoint
        assert checkpoint.save_best == 'PCKh/Mean' and checkpoint.rule == 'greater'
        assert config.test_evaluator.type == 'MpiiPCKh'

    def test_the_inferencer_finds_what_it_reads(self, name):
        config = load_config(config_root() / name)
        assert config.data_mode == 'topdown'
        assert config.dataset_type == config.train_dataloader.dataset.type
        # The folder names the kind of object, and so the default detector.
        folders = DATASETS.get(config.dataset_type).__module__.split('datasets.')[-1]
        assert folders.split('.')[0] == 'body'

    def test_trains_a_step_and_evaluates_at_reduced_size(
        self, name, mpii_root, tmp_path
    ):
        config = reduced_config(name, mpii_root, tmp_path, stacks=1, features=8)
        config.load_from = None
        if 'teacher' in config.model:
            config.model.teacher = _own_teacher(config, tmp_path)
        config.train_dataloader.batch_size = 12
        runner = run(config)
        assert runner.iter == 1
        assert 'val/PCKh/Mean' in runner.message_hub.log_scalars
        assert list(tmp_path.glob('best_PCKh_Mean_epoch_1.pth'))


def _own_teacher(config, folder: Path) -> dict:
    model = config.model.copy()
    model.type = 'TopdownPoseEstimator'
    del model.teacher, model.distill_loss
    torch.save(MODELS.build(model).state_dict(), folder / 'teacher.pth')
    return dict(config=dict(model=model), checkpoint=str(folder / 'teacher.pth'))


@pytest.mark.parametrize(
    ('name', 'parameters'),
    [
        ('hourglass/hg8_256_mpii.py', 25_594_624),
        ('hourglass/hg4_128_mpii.py', 3_287_936),
        ('fpd/hg4_128_fpd_mpii.py', 3_287_936),
    ],
)
def test_parameters_at_full_size(name, parameters):
    model = MODELS.build(load_config(config_root() / name).model)
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_only_the_published_recipe_is_warm_started():
    starts = {name: load_config(config_root() / name).load_from for name in RECIPES}
    assert starts.pop('fpd/hg4_128_fpd_mpii.py') == 'checkpoints/hg4_128_mpii.pth'
    assert set(starts.values()) == {None}


def test_fpd_configs_state_only_their_difference():
    for path in (config_root() / 'fpd').glob('*.py'):
        assert len(path.read_text().splitlines()) < 25, path


def test_teacher_of_the_fpd_recipe():
    model = load_config(config_root() / 'fpd/hg4_128_fpd_mpii.py').model
    assert model.type == 'FPDDistiller'
    assert model.distill_loss == dict(type='HeatmapDistillLoss', alpha=0.5)
    teacher = load_config(model.teacher.config).model
    assert teacher.backbone.num_stacks == 8 and teacher.backbone.num_features == 256
