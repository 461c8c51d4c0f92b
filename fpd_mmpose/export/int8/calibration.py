"""People to calibrate with, and people to measure on."""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmpose.registry import DATASETS
from torch import nn
from torch.utils.data import Dataset

from fpd_mmpose.config import leaf_datasets, metrics_of, set_data_root
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import IMAGE_SUFFIXES


def training_people(config: Config, folder: str | Path) -> Dataset:
    """Reads the people that a network is trained on, cropped as in testing.

    Args:
        config (Config): Of the pose estimator.
        folder (str | Path): Root of its data.

    Returns:
        Dataset: Samples with ``inputs``, uint8 (3, H, W), BGR.

    Raises:
        ValueError: If they cannot be read. One line.
    """
    config = _moved(config, folder)
    settings = next(
        one for one in leaf_datasets(config.train_dataloader.dataset) if one.ann_file
    )
    settings = copy.deepcopy(settings)
    settings.update(pipeline=config.test_dataloader.dataset.pipeline, test_mode=True)
    return DATASETS.build(settings)


def test_people(config: Config, folder: str | Path) -> Dataset:
    """Reads the people that a network is tested on.

    Args:
        config (Config): Of the pose estimator.
        folder (str | Path): Root of its data.

    Returns:
        Dataset: Samples as its pipeline packs them.

    Raises:
        ValueError: If they cannot be read. One line.
    """
    return DATASETS.build(_moved(config, folder).test_dataloader.dataset)


class Pictures(Dataset):
    """Whole images as people.

    Args:
        model (nn.Module): The pose estimator, for its pipeline.
        folder (str | Path): With the images; not those of its subfolders.
    """

    def __init__(self, model: nn.Module, folder: str | Path):
        self.files = sorted(
            path
            for path in Path(folder).iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
        )
        self.pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
        self.meta = model.dataset_meta

    def __len__(self) -> int:
        """How many images."""
        return len(self.files)

    def __getitem__(self, index: int) -> dict:
        """Crops one."""
        image = read_image(self.files[index])
        height, width = image.shape[:2]
        person = dict(
            img=image,
            bbox=np.array([[0, 0, width, height]], np.float32),
            bbox_score=np.ones(1, np.float32),
        )
        return self.pipeline(person | self.meta)


def crops(people: Dataset, info: ModelInfo, count: int, seed: int = 0) -> list:
    """Makes inputs of a graph.

    Args:
        people (Dataset): Samples with ``inputs``.
        info (ModelInfo): Of the graph.
        count (int): How many at most, drawn at random.
        seed (int): Of the draw.

    Returns:
        list[np.ndarray]: Of one person each, see :class:`ModelInfo`.
    """
    order = np.random.default_rng(seed).permutation(len(people))[:count]
    return [as_input(people[int(i)]['inputs'].numpy()[None], info) for i in order]


def as_input(images: np.ndarray, info: ModelInfo) -> np.ndarray:
    """Brings crops of the pipeline into the form that a graph takes.

    Args:
        images (np.ndarray): BGR, uint8 (N, 3, H, W).
        info (ModelInfo): Of the graph.

    Returns:
        np.ndarray: See :class:`ModelInfo`.
    """
    wanted = info.image_order or info.channel_order
    if wanted == 'rgb':
        images = images[:, ::-1]
    if info.image_order:
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (info.mean, info.std))
    return (images.astype(np.float32) - mean) / std


def batches(people: Dataset, size: int) -> Iterator[list[dict]]:
    """Goes through all samples.

    Args:
        people (Dataset): The samples.
        size (int): Of a batch.

    Yields:
        list[dict]: So many of them.
    """
    for start in range(0, len(people), size):
        stop = min(start + size, len(people))
        yield [people[index] for index in range(start, stop)]


def test_metrics(config: Config, folder: str | Path) -> list[dict]:
    """Gives the settings of the metrics of :func:`test_people`.

    Args:
        config (Config): Of the pose estimator.
        folder (str | Path): Root of its data.

    Returns:
        list[dict]: Settings of metrics.
    """
    return metrics_of(_moved(config, folder), 'test')


def _moved(config: Config, folder: str | Path) -> Config:
    config = copy.deepcopy(config)
    set_data_root(config, folder)
    return config
