"""The recipes are the reference's (its experiment files and scripts)."""

from functools import cache

import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS

from fpd_mmpose.config import config_root, leaf_datasets, load_config
from tests.helpers.coco_data import DETECTIONS
from tests.helpers.every_config import FPD, NAMES, STOCK, unscoped

#: Learning rate, epochs at which it drops, epochs; people on each GPU, GPUs.
HOURGLASS = (2.5e-4, [90, 120], 140, 4, 1)
RESNET = (1e-3, [90, 120], 140, 32, 4)
HRNET_MPII = (1e-3, [170, 200], 210, 32, 1)
HRNET_COCO = (1e-3, [170, 200], 210, 24, 4)
HRNET_MPII_FPD = (1e-5, [5, 10, 15], 20, 16, 1)

SCHEDULES = {
    **{
        f'hourglass/{network}_{data}.py': HOURGLASS
        for network in ('hg8_256', 'hg4_256', 'hg4_128')
        for data in ('mpii', 'coco_256x192')
    },
    **{
        f'resnet/{network}_{data}.py': RESNET
        for network in ('res50', 'res101', 'res152')
        for data in ('mpii', 'coco_256x192', 'coco_384x288')
    },
    **{f'hrnet/hrnet_{width}_mpii.py': HRNET_MPII for width in ('w32', 'w48')},
    **{
        f'hrnet/hrnet_{width}_coco_{size}.py': HRNET_COCO
        for width in ('w32', 'w48')
        for size in ('256x192', '384x288')
    },
    'fpd/hg4_128_fpd_mpii.py': HOURGLASS,
    'fpd/hg4_128_fpd_scratch_mpii.py': HOURGLASS,
    'fpd/hg4_128_fpd_labelfree_mpii.py': HOURGLASS,
    'fpd/hg4_128_fpd_cross_skeleton_mpii.py': HOURGLASS,
    # 4 labeled people and 4 others.
    'fpd/hg4_128_fpd_unlabeled_mpii.py': (*HOURGLASS[:3], 8, 1),
    'fpd/hrnet_w32_fpd_mpii.py': HRNET_MPII_FPD,
    'fpd/hrnet_w32_fpd_coco_256x192.py': HRNET_COCO,
    'fpd/hrnet_w32_fpd_coco_384x288.py': HRNET_COCO,
    'fpd/res50_fpd_mpii.py': RESNET,
    'fpd/res50_fpd_coco_256x192.py': RESNET,
}
#: Width and height of input and heatmaps; sigma.
SIZES = {
    'mpii': ((256, 256), (64, 64), 2),
    '256x192': ((192, 256), (48, 64), 2),
    '384x288': ((288, 384), (72, 96), 3),
}
HALF_BODY = dict(
    type='RandomHalfBody',
    min_total_keypoints=9,
    min_upper_keypoints=3,
    min_lower_keypoints=3,
    padding=1.5,
    prob=0.3,
    upper_prioritized_prob=0.6914624612740131,
)
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@cache
def read(name: str) -> Config:
    """Read once, which takes its time: not to be changed."""
    return load_config(config_root() / name)


def test_every_config_is_looked_at():
    assert sorted([*SCHEDULES, STOCK]) == NAMES


@pytest.mark.parametrize('name', SCHEDULES)
class TestRecipe:
    @pytest.fixture
    def config(self, name):
        return read(name)

    @pytest.fixture
    def is_hrnet(self, name):
        return 'hrnet' in name

    @pytest.fixture
    def is_coco(self, name):
        return '_coco_' in name

    def test_schedule(self, name, config):
        rate, drops, epochs, batch_size, gpus = SCHEDULES[name]
        assert config.optim_wrapper.optimizer == dict(type='Adam', lr=rate)
        assert 'clip_grad' not in config.optim_wrapper
        (schedule,) = config.param_scheduler
        assert schedule == dict(
            type='MultiStepLR', milestones=drops, gamma=0.1, by_epoch=True
        )
        assert config.train_cfg == dict(
            by_epoch=True, max_epochs=epochs, val_interval=1
        )
        assert config.train_dataloader.batch_size == batch_size
        assert config.auto_scale_lr.base_batch_size == batch_size * gpus
        assert config.val_dataloader.batch_size == 32
        assert config.test_dataloader.batch_size == 32
        assert config.model.head.loss == dict(
            type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5
        )

    def test_augmentation(self, config, is_coco, is_hrnet):
        *_, last = datasets = list(leaf_datasets(config.train_dataloader.dataset))
        if last.type == 'UnlabeledPoseDataset':
            # Without labels there are no targets; all else is as for the others.
            steps = [s for s in config.train_pipeline if s['type'] != 'GenerateTarget']
            assert last.pipeline == steps
        if last.type != 'UnlabeledPoseDataset' or len(datasets) == 2:
            assert datasets[0].pipeline == config.train_pipeline
        steps = config.train_pipeline
        types = [step['type'] for step in steps]
        steps = dict(zip(types, steps, strict=True))
        assert (types[0], types[1]) == ('FPDLoadImage', 'GetBBoxCenterScale')
        assert types[-3:-1] == ['FPDTopdownAffine', 'GenerateTarget']
        assert types[-1] == 'FPDPackPoseInputs'
        assert steps['GetBBoxCenterScale']['padding'] == 1.25
        assert steps['RandomFlip']['prob'] == 0.5
        spread = (0.25, 30) if not is_coco else (0.35, 45) if is_hrnet else (0.3, 40)
        assert steps['RandomScaleRotation'] == dict(
            type='RandomScaleRotation',
            scale_factor=spread[0],
            rotation_factor=spread[1],
            prob=0.6,
        )
        random_steps = [step for step in types if 'Random' in step]
        if is_coco and is_hrnet:
            assert random_steps == [
                'RandomFlip',
                'RandomHalfBody',
                'RandomScaleRotation',
            ]
            assert steps['RandomHalfBody'] == HALF_BODY
        else:
            assert sorted(random_steps) == ['RandomFlip', 'RandomScaleRotation']
        for loader in LOADERS[1:]:
            types = [step['type'] for step in config[loader].dataset.pipeline]
            assert types == [
                'FPDLoadImage',
                'GetBBoxCenterScale',
                'FPDTopdownAffine',
                'PackPoseInputs',
            ]

    def test_size(self, name, config):
        input_size, heatmap_size, sigma = SIZES[name[:-3].split('_')[-1]]
        codec = dict(
            type='FPDHeatmap',
            input_size=input_size,
            heatmap_size=heatmap_size,
            sigma=sigma,
        )
        assert config.codec == config.model.head.decoder == codec
        for loader in LOADERS:
            for dataset in leaf_datasets(config[loader].dataset):
                crops = [
                    step['input_size']
                    for step in dataset.pipeline
                    if step['type'] == 'FPDTopdownAffine'
                ]
                assert crops == [input_size]
        assert config.train_pipeline[-2]['encoder'] == codec

    def test_evaluation(self, config, is_coco, is_hrnet):
        assert config.model.test_cfg == dict(
            flip_test=True, flip_mode='heatmap', shift_heatmap=True
        )
        assert config.model.data_preprocessor == dict(
            type='PoseDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=is_hrnet,
        )
        checkpoint = config.default_hooks.checkpoint
        assert checkpoint.save_best == ('coco/AP' if is_coco else 'PCKh/Mean')
        assert checkpoint.rule == 'greater'
        for loader, evaluator in (
            (config.val_dataloader, config.val_evaluator),
            (config.test_dataloader, config.test_evaluator),
        ):
            dataset = loader.dataset
            assert dataset.test_mode
            if is_coco:
                assert dataset.bbox_file == DETECTIONS
                assert evaluator.type == 'FPDCocoMetric'
                assert evaluator.ann_file == config.data_root + dataset.ann_file
            else:
                assert evaluator.type == 'MpiiPCKh'


@pytest.mark.parametrize('name', NAMES)
def test_the_inferencer_finds_what_it_reads(name):
    config = read(name)
    assert config.data_mode == 'topdown'
    assert config.dataset_type == config.val_dataloader.dataset.type
    # The folder names the kind of object, and so the default detector.
    folders = DATASETS.get(config.dataset_type).__module__.split('datasets.')[-1]
    assert folders.split('.')[0] == 'body'


@pytest.mark.parametrize('name', NAMES)
def test_configs_state_only_their_difference(name):
    assert len((config_root() / name).read_text().splitlines()) < 25


def test_mmposes_metainfo_is_not_shadowed():
    # FPDCocoDataset takes it from the path configs/_base_/datasets/coco.py.
    assert not (config_root() / '_base_/datasets').exists()


#: Folder and stem of the plain config of student and teacher.
PAIRS = {
    'fpd/hg4_128_fpd_mpii.py': ('hourglass', 'hg4_128_mpii', 'hg8_256_mpii'),
    'fpd/hg4_128_fpd_scratch_mpii.py': ('hourglass', 'hg4_128_mpii', 'hg8_256_mpii'),
    **{
        f'fpd/hrnet_w32_fpd_{data}.py': (
            'hrnet',
            f'hrnet_w32_{data}',
            f'hrnet_w48_{data}',
        )
        for data in ('mpii', 'coco_256x192', 'coco_384x288')
    },
    **{
        f'fpd/res50_fpd_{data}.py': ('resnet', f'res50_{data}', f'res152_{data}')
        for data in ('mpii', 'coco_256x192')
    },
}


class TestDistillation:
    @pytest.mark.parametrize('name', FPD)
    def test_method(self, name):
        config = read(name)
        assert config.model.type == 'FPDDistiller'
        alpha = 1 if 'labelfree' in name else 0.5
        assert config.model.distill_loss == dict(type='HeatmapDistillLoss', alpha=alpha)
        hooks = [hook.type for hook in config.custom_hooks]
        assert hooks == ['SyncBuffersHook', 'ValidateBeforeTrainingHook']

    @pytest.mark.parametrize('name', PAIRS)
    def test_pair(self, name):
        folder, student, teacher = PAIRS[name]
        config = read(name)
        assert config.model.teacher == dict(
            config=f'configs/{folder}/{teacher}.py',
            checkpoint=f'checkpoints/{teacher}.pth',
        )
        plain = read(f'{folder}/{student}.py')
        for key in ('data_preprocessor', 'head', 'test_cfg'):
            assert config.model[key] == plain.model[key]
        backbones = [{**c.model.backbone, 'init_cfg': None} for c in (config, plain)]
        assert backbones[0] == backbones[1]
        warm = None if 'scratch' in name else f'checkpoints/{student}.pth'
        assert config.load_from == warm

    @pytest.mark.parametrize('name', FPD)
    def test_a_warm_start_fetches_no_other_weights(self, name):
        config = read(name)
        assert config.model.backbone.get('init_cfg') is None

    def test_plain_training_is_not_warm_started(self):
        for name in set(NAMES) - set(FPD):
            assert read(name).load_from is None

    def test_only_fpd_is_added_to_a_recipe_of_mmpose(self):
        stock = unscoped(
            load_config(
                'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
                'td-hm_litehrnet-30_8xb64-210e_coco-256x192.py'
            )
        )
        config = unscoped(read(STOCK))
        model = {**config['model'], 'type': 'TopdownPoseEstimator'}
        del model['teacher'], model['distill_loss']
        assert model == stock['model']
        assert set(stock) <= set(config)
        assert {key for key in config if config[key] != stock.get(key)} == {
            'custom_hooks',
            'custom_imports',
            'fpd',
            'fpd_hook',
            'load_from',
            'model',
        }
