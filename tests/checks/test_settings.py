"""A field of a run that cannot have its value stops it at once, and is reported."""

import pytest
from mmengine.registry import init_default_scope
from torch import nn

from fpd_mmpose.checks import check
from fpd_mmpose.checks.settings import check_settings, settings_problems, try_training
from fpd_mmpose.cli import main as fpd
from fpd_mmpose.config import config_root, load_config
from fpd_mmpose.errors import UserError
from tests.helpers.check_data import config_of, only

CONFIG = 'hourglass/hg4_128_mpii.py'


@pytest.mark.parametrize(
    ('options', 'line'),
    [
        (
            {'train_cfg.max_epochs': 0},
            'train_cfg.max_epochs must be a whole number of at least 1, got 0',
        ),
        (
            {'train_cfg.val_interval': 'abc'},
            "train_cfg.val_interval must be a whole number of at least 1, got 'abc'",
        ),
        (
            {'train_dataloader.batch_size': 1.5},
            'train_dataloader.batch_size must be a whole number of at least 1, got 1.5',
        ),
        (
            {'val_dataloader.num_workers': -1},
            'val_dataloader.num_workers must be a whole number of at least 0, got -1',
        ),
        (
            {'val_dataloader.num_workers': 0},
            'val_dataloader.persistent_workers needs num_workers of 1 or more: set it '
            'to False',
        ),
        (
            {'randomness': dict(seed='abc')},
            "randomness.seed must be a whole number of at least 0, got 'abc'",
        ),
        (
            {'randomness': dict(seed=2**32)},
            'randomness.seed must be at most 4294967295, got 4294967296',
        ),
        (
            {'default_hooks.checkpoint.interval': 'abc'},
            "default_hooks.checkpoint.interval must be a whole number, got 'abc'",
        ),
        (
            {'default_hooks.logger.interval': 0},
            'default_hooks.logger.interval must be a whole number of at least 1, got 0',
        ),
        (
            {'optim_wrapper.clip_grad': dict(max_norm='abc')},
            "optim_wrapper.clip_grad: could not convert string to float: 'abc'",
        ),
        (
            {'optim_wrapper.clip_grad': dict(type='value', max_norm=1.0)},
            'optim_wrapper.clip_grad: clip_grad_value_() got an unexpected keyword '
            "argument 'max_norm'",
        ),
        (
            {'log_level': 'LOUD'},
            'log_level must be a level of logging, such as "INFO", got \'LOUD\'',
        ),
        (
            {'train_cfg.type': 'EpochBasedTrainLoop'},
            'train_cfg needs either the `type` of a loop or by_epoch: True with '
            'max_epochs, False with max_iters',
        ),
        (
            {'val_evaluator': None},
            'the config has val_dataloader and val_cfg, but not val_evaluator: a run '
            'needs all three, or none',
        ),
        (
            {'optim_wrapper.optimizer.type': 'Adan'},
            'the config names the optimizer "Adan", which does not exist (did you mean '
            '"Adam"?): correct its `type`, or add the module that defines it to '
            'custom_imports',
        ),
    ],
)
def test_the_field_is_named(options, line):
    config = load_config(CONFIG)
    config.merge_from_dict(options)
    assert list(settings_problems(config)) == [line]
    with pytest.raises(UserError) as info:
        check_settings(config)
    assert str(info.value) == line


@pytest.mark.parametrize('command', ['train', 'distill'])
def test_a_command_stops_before_it_looks_for_data(command, tmp_path):
    words = [command, CONFIG, '--work-dir', str(tmp_path / 'run')]
    if command == 'distill':
        words += ['--teacher', 'hourglass/hg8_256_mpii.py', 'missing.pth']
    with pytest.raises(SystemExit) as info:
        fpd([*words, '--cfg-options', 'train_dataloader.batch_size=0'])
    assert str(info.value).endswith(
        'error: train_dataloader.batch_size must be a whole number of at least 1, got 0'
    )
    assert not (tmp_path / 'run').exists()


def test_a_field_that_the_config_has_no_place_for():
    with pytest.raises(SystemExit) as info:
        fpd(['train', CONFIG, '--cfg-options', 'param_scheduler.7.gamma=2'])
    line = str(info.value).splitlines()[-1]
    assert line.startswith('error: options: Index 7 exceeds the length of list')


@pytest.mark.parametrize('value', ['(1,2', "[dict(type='EMAHook',momentum=1)]"])
def test_an_option_that_cannot_be_read(value):
    with pytest.raises(SystemExit) as info:
        fpd(['train', CONFIG, '--cfg-options', f'custom_hooks={value}'])
    line = str(info.value).splitlines()[-1]
    assert line.startswith(f'error: --cfg-options: custom_hooks={value} cannot be read')


@pytest.mark.parametrize(
    ('options', 'problem'),
    [
        ({'optim_wrapper.optimizer.lr': -1}, 'config: Adam: Invalid learning rate: -1'),
        ({'optim_wrapper.foo': 1}, 'config: OptimWrapper has no field "foo"'),
        (
            {'param_scheduler.0.gama': 1},
            'config: MultiStepLR has no field "gama" (did you mean "gamma"?)',
        ),
        (
            {'param_scheduler.0.type': 'StepLR2'},
            'the config names the parameter scheduler "StepLR2", which does not exist '
            '(did you mean "StepLR"?): correct its `type`, or add the module that '
            'defines it to custom_imports',
        ),
        (
            {'default_hooks.checkpoint.max_kep_ckpts': 1},
            'config: CheckpointHook has no field "max_kep_ckpts" (did you mean '
            '"max_keep_ckpts"?)',
        ),
        (
            {'default_hooks.logger.intervall': 1},
            'config: LoggerHook has no field "intervall" (did you mean "interval"?)',
        ),
        ({'train_cfg.epochs': 1}, 'config: EpochBasedTrainLoop has no field "epochs"'),
        ({'val_evaluator.foo': 1}, 'config: MpiiPCKh has no field "foo"'),
        (
            {'train_dataloader.workers': 1},
            'config: DataLoader has no field "workers" (did you mean "num_workers"?)',
        ),
    ],
)
def test_the_check_builds_what_a_run_builds_later(root, options, problem):
    config = config_of(root)
    config.merge_from_dict(options)
    assert only(check(config).problems).startswith(problem)


def test_mixed_precision_can_be_checked_without_a_gpu(root):
    config = config_of(root)
    config.optim_wrapper.update(type='AmpOptimWrapper', dtype='float16')
    assert not check(config).problems


def configs() -> list[str]:
    root = config_root()
    others = {'drawn_64x64.py', 'study.py'}  # data, and a plan of runs
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob('*.py'))
        if '_base_' not in path.parts and path.name not in others
    ]


@pytest.mark.parametrize('name', configs())
def test_the_packaged_configs_can_run(name):
    config = load_config(name)
    init_default_scope('mmpose')
    assert not list(settings_problems(config))
    try_training(config, nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)))
