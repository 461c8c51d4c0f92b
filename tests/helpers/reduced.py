"""The project's configs, small enough to train on small data in a second."""

import copy
import io
import itertools
from functools import cache
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.config import leaf_datasets, load_config

_counter = itertools.count()
CODEC = dict(type='FPDHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)


def reduced_config(
    name: str,
    root: Path,
    work_dir: Path,
    stacks: int = 2,
    features: int = 16,
    epochs: int = 1,
) -> Config:
    """Reads a config and shrinks its network, input and schedule.

    Args:
        name: As `load_config` finds it, such as 'fpd/hg4_128_fpd_mpii.py'.
        root: The folder of the data.
        work_dir: The run's folder.
        stacks: Of an hourglass network.
        features: Of an hourglass network.
        epochs: Of the run.
    """
    config = load_config(name)
    codec = _reduced_codec(config.codec)
    _shrink(config.model, stacks, features)
    config.codec = config.model.head.decoder = codec
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].update(batch_size=4, num_workers=0, persistent_workers=False)
        for dataset in leaf_datasets(config[loader].dataset):
            _move(dataset, root)
            for step in dataset.pipeline:
                if 'input_size' in step:
                    step['input_size'] = codec['input_size']
                if 'encoder' in step:
                    step['encoder'] = codec
    for evaluator in (config.val_evaluator, config.test_evaluator):
        if 'ann_file' in evaluator:
            evaluator.ann_file = _moved(evaluator.ann_file, root)
    config.train_cfg.max_epochs = epochs
    config.work_dir = str(work_dir)
    config.randomness = dict(seed=0)
    config.log_level = 'ERROR'
    # mmengine shares loggers and message hubs between runs of the same name.
    config.experiment_name = f'test_{next(_counter)}'
    config.visualizer.name = config.experiment_name
    return config


def _reduced_codec(codec: ConfigDict) -> dict:
    """Square where the config's is; else not, so that swapped sides show."""
    width, height = codec.input_size
    size = (64, 64) if width == height else (64, 128)
    heatmap_size = tuple(side // 4 for side in size)
    return dict(codec, input_size=size, heatmap_size=heatmap_size, sigma=2)


def _moved(path: str, root: Path) -> str:
    return path.replace('data/coco/', f'{root}/')


def _move(dataset: ConfigDict, root: Path) -> None:
    dataset.data_root = str(root)
    if dataset.get('bbox_file'):
        dataset.bbox_file = _moved(dataset.bbox_file, root)
    if dataset.type == 'UnlabeledPoseDataset':
        # The labeled people serve as unlabeled ones.
        dataset.update(ann_file='', whole_image=True)


def _shrink(model: ConfigDict, stacks: int, features: int) -> None:
    backbone, head = model.backbone, model.head
    if 'init_cfg' in backbone:
        backbone.init_cfg = None  # it would fetch weights
    if backbone.type == 'StackedHourglass':
        backbone.update(num_stacks=stacks, num_features=features)
        head.num_stages = stacks
    elif backbone.type == 'HRNet':
        for branches, stage in enumerate(backbone.extra.values(), start=1):
            stage.update(
                num_modules=1,
                num_blocks=(1,) * branches,
                num_channels=tuple(4 * 2**branch for branch in range(branches)),
            )
        head.in_channels = 4
    elif backbone.type == 'ResNet':
        backbone.update(depth=18, stem_channels=8, base_channels=8)
        head.update(in_channels=64, deconv_out_channels=(8, 8, 8))
    elif backbone.type == 'LiteHRNet':
        backbone.extra.stages_spec.num_modules = (1, 1, 1)
    else:
        raise NotImplementedError(f'say how to shrink a {backbone.type}')


def reduced_teacher(folder: Path, name: str = 'hourglass/hg8_256_mpii.py') -> dict:
    """A teacher with random weights, as `model.teacher` wants it."""
    config, weights, generator = _teacher(name)
    torch.set_rng_state(generator)
    checkpoint = folder / 'teacher.pth'
    checkpoint.write_bytes(weights)
    return dict(config=copy.deepcopy(config), checkpoint=str(checkpoint))


@cache
def _teacher(name: str) -> tuple[dict, bytes, torch.Tensor]:
    """Builds a teacher once; also returns the state of the random generator then."""
    config = reduced_config(name, Path(), Path(), stacks=3, features=24)
    torch.manual_seed(7)
    file = io.BytesIO()
    torch.save(MODELS.build(config.model).state_dict(), file)
    data = dict(dataset=dict(type=config.train_dataloader.dataset.type))
    found = dict(model=config.model, train_dataloader=data)
    return found, file.getvalue(), torch.get_rng_state()


def reduced_distiller(mpii_root: Path, folder: Path, **settings: int) -> Config:
    """The FPD config with a small student under a small teacher."""
    config = reduced_config(
        'fpd/hg4_128_fpd_scratch_mpii.py', mpii_root, folder / 'run', **settings
    )
    config.model.teacher = reduced_teacher(folder)
    return config


def run(config: Config) -> Runner:
    """Trains a config with the stock Runner."""
    runner = Runner.from_cfg(config)
    runner.train()
    return runner
