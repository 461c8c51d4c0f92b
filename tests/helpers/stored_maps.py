"""Makes distillation configs and files of stored heatmaps."""

from pathlib import Path

from mmengine.config import Config

from fpd_mmpose.config import leaf_datasets
from fpd_mmpose.teachers.cache.writer import CacheWriter
from tests.helpers.reduced import reduced_distiller


def small_config(mpii_root: Path, folder: Path) -> Config:
    """Makes a small FPD config without augmentation or shuffling."""
    config = reduced_distiller(mpii_root, folder, stacks=1, features=8)
    config.train_dataloader.sampler.shuffle = False
    augment(config, scale=0, rotation=0, flip=0.0)
    return config


def augment(config: Config, scale: float, rotation: float, flip: float) -> None:
    """Sets the augmentation of the training data."""
    for dataset in leaf_datasets(config.train_dataloader.dataset):
        for step in dataset.pipeline:
            if step['type'] == 'RandomScaleRotation':
                step.update(scale_factor=scale, rotation_factor=rotation)
            if step['type'] == 'RandomFlip':
                step.update(prob=flip)


def store_maps(config: Config, path: Path | str, **options) -> CacheWriter:
    """Stores the heatmaps of a config's teacher."""
    writer = CacheWriter(config, path, **options)
    writer.run(batch_size=5)
    return writer
