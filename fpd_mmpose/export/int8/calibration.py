"""People that calibrate an export, and people that measure it."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import DATASETS

from fpd_mmpose.config import leaf_datasets, metrics_of, set_data_root
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import images_in


class CalibrationPeople(Protocol):
    """Samples of a test pipeline: ``inputs`` are crops, uint8 BGR (3, H, W)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def training_people(config: Config, folder: str | Path) -> BaseDataset:
    """Opens the training people of a config below another data root."""
    config = _moved(config, folder)
    for leaf in leaf_datasets(config.train_dataloader.dataset):
        if leaf.get('ann_file'):
            pipeline = config.test_dataloader.dataset.pipeline
            return DATASETS.build(dict(leaf, pipeline=pipeline, test_mode=True))
    raise UserError('the config has no labeled training dataset to calibrate with')


def test_people(config: Config, folder: str | Path) -> BaseDataset:
    """Opens the test people of a config below another data root."""
    return DATASETS.build(_moved(config, folder).test_dataloader.dataset)


class ImageFolder:
    """The images of a folder, without its subfolders, as one person each."""

    def __init__(self, model: TopdownPoseEstimator, folder: str | Path) -> None:
        self.files = [Path(folder, name) for name in images_in(folder)]
        self.pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
        self.meta = model.dataset_meta

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image = read_image(self.files[index])
        height, width = image.shape[:2]
        person = dict(
            img=image,
            bbox=np.array([[0, 0, width, height]], np.float32),
            bbox_score=np.ones(1, np.float32),
        )
        return self.pipeline(person | self.meta)


def crops(people: CalibrationPeople, info: ModelInfo, count: int) -> list[np.ndarray]:
    """Draws at most ``count`` people as inputs of a graph, of one person each."""
    order = np.random.default_rng(0).permutation(len(people))[:count]
    return [as_input(people[int(i)]['inputs'].numpy()[None], info) for i in order]


def as_input(images: np.ndarray, info: ModelInfo) -> np.ndarray:
    """Converts crops, uint8 BGR (N, 3, H, W), to the input of a graph."""
    wanted = info.image_order or info.channel_order
    if wanted == 'rgb':
        images = images[:, ::-1]
    if info.image_order:
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (info.mean, info.std))
    return (images.astype(np.float32) - mean) / std


def batches(people: CalibrationPeople, size: int) -> Iterator[list[dict[str, Any]]]:
    """Yields all samples, ``size`` at a time."""
    for start in range(0, len(people), size):
        stop = min(start + size, len(people))
        yield [people[index] for index in range(start, stop)]


def test_metrics(config: Config, folder: str | Path) -> list[dict]:
    """Returns the settings of the metrics for :func:`test_people`."""
    return metrics_of(_moved(config, folder), 'test')


def _moved(config: Config, folder: str | Path) -> Config:
    config = copy.deepcopy(config)
    set_data_root(config, folder)
    return config
