"""People that calibrate an export, and people that measure it."""

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose, pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import DATASETS
from onnx import ModelProto
from torch.utils.data import DataLoader

from fpd_mmpose.config import leaf_datasets
from fpd_mmpose.deploy.model_info import ModelInfo, decode_maps
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.checking import open_session
from fpd_mmpose.export.describe import rows_of
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import images_in

#: The main metric of each kind of data.
_HEADLINES = ('PCKh/Mean', 'PCK/Mean PCKh', 'coco/AP')
_BATCH = 16


def training_people(config: Config) -> BaseDataset:
    """Opens the training people of a config, as those of its tests are prepared."""
    for leaf in leaf_datasets(config.train_dataloader.dataset):
        if leaf.get('ann_file'):
            pipeline = config.test_dataloader.dataset.pipeline
            return DATASETS.build(dict(leaf, pipeline=pipeline, test_mode=True))
    raise UserError('the config has no labeled training dataset to calibrate with')


class ImageFolder:
    """The images of a folder, without its subfolders, as one person each.

    ``inputs`` of a sample is a crop, uint8 BGR (3, H, W).
    """

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


def crops(
    people: BaseDataset | ImageFolder, info: ModelInfo, count: int
) -> list[np.ndarray]:
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


def score(
    graph: ModelProto,
    info: ModelInfo,
    model: TopdownPoseEstimator,
    people: BaseDataset,
    metrics: list[dict],
) -> dict[str, float]:
    """Returns the metrics of a graph on labeled people.

    The graph returns ``info.maps`` first; ``model`` maps the keypoints into the image.
    """
    session = open_session(graph)
    rows = rows_of(model)
    name = session.get_inputs()[0].name
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = people.metainfo
    for batch in DataLoader(people, _BATCH, collate_fn=pseudo_collate):
        images = np.stack([image.numpy() for image in batch['inputs']])
        maps = session.run(list(info.maps), {name: as_input(images, info)})
        decoded = [
            InstanceData(keypoints=points[None], keypoint_scores=scores[None])
            for points, scores in zip(
                *(_all_rows(each, rows) for each in decode_maps(info, *maps)),
                strict=True,
            )
        ]
        found = model.add_pred_to_datasample(decoded, None, batch['data_samples'])
        evaluator.process(found, batch)
    # The report compares the scores; tables in the log would hide it.
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return evaluator.evaluate(len(people))
    finally:
        logger.setLevel(level)


def headline(names: Iterable[str]) -> str:
    """Picks the main metric, or else the first one."""
    names = list(names)
    return next((name for name in _HEADLINES if name in names), names[0])


def _all_rows(found: np.ndarray, rows: list[int] | None) -> np.ndarray:
    """Puts the selected keypoints (N, K, ...) back where the model selects them."""
    if rows is None:
        return found
    full = np.zeros((len(found), max(rows) + 1, *found.shape[2:]), found.dtype)
    full[:, rows] = found
    return full
