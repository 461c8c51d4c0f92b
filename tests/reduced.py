"""The project's configs, small enough to train on drawn people in a second."""

import itertools
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.paths import config_root, load_config

_counter = itertools.count()
CODEC = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)


def reduced_config(
    name: str,
    mpii_root: Path,
    work_dir: Path,
    stacks: int = 2,
    features: int = 16,
    epochs: int = 1,
) -> Config:
    """Reads a config of the project and shrinks its network, input and schedule."""
    config = load_config(config_root() / name)
    config.model.backbone.update(num_stacks=stacks, num_features=features)
    config.model.head.update(num_stages=stacks, decoder=CODEC)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].update(batch_size=4, num_workers=0, persistent_workers=False)
        dataset = config[loader].dataset
        dataset.data_root = str(mpii_root)
        for step in dataset.pipeline:
            if step['type'] == 'TopdownAffine':
                step['input_size'] = CODEC['input_size']
            if step['type'] == 'GenerateTarget':
                step['encoder'] = CODEC
    config.train_cfg.max_epochs = epochs
    config.work_dir = str(work_dir)
    config.randomness = dict(seed=0)
    config.log_level = 'ERROR'
    # mmengine shares loggers and message hubs between runs of the same name.
    config.experiment_name = f'test_{next(_counter)}'
    config.visualizer.name = config.experiment_name
    return config


def reduced_teacher(mpii_root: Path, folder: Path) -> dict:
    """A teacher with random weights, as `model.teacher` wants it."""
    config = reduced_config(
        'hourglass/hg8_256_mpii.py', mpii_root, folder, stacks=3, features=24
    )
    torch.manual_seed(7)
    checkpoint = folder / 'teacher.pth'
    torch.save(MODELS.build(config.model).state_dict(), checkpoint)
    return dict(config=dict(model=config.model), checkpoint=str(checkpoint))


def reduced_distiller(mpii_root: Path, folder: Path, **settings: int) -> Config:
    """The FPD config with a small student under a small teacher."""
    config = reduced_config(
        'fpd/hg4_128_fpd_scratch_mpii.py', mpii_root, folder / 'run', **settings
    )
    config.model.teacher = reduced_teacher(mpii_root, folder)
    return config


def run(config: Config) -> Runner:
    """Trains a config with the stock Runner."""
    runner = Runner.from_cfg(config)
    runner.train()
    return runner
