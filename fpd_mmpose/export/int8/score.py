"""The score of a graph in the metrics of its config."""

import contextlib
import io
from collections.abc import Iterable

import numpy as np
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmpose.models.pose_estimators import TopdownPoseEstimator
from onnx import ModelProto

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.checking import open_session
from fpd_mmpose.export.int8.calibration import as_input, batches

#: The main metric of each kind of data.
_HEADLINES = ('PCKh/Mean', 'PCK/Mean PCKh', 'coco/AP')
_BATCH = 16


def score(
    graph: ModelProto,
    info: ModelInfo,
    model: TopdownPoseEstimator,
    people: BaseDataset,
    metrics: list[dict],
) -> dict[str, float]:
    """Returns the metrics of a graph on labeled people.

    The graph returns heatmaps first; ``model`` decodes them and maps the keypoints into
    the image.
    """
    session = open_session(graph)
    name = session.get_inputs()[0].name
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = people.metainfo
    for samples in batches(people, _BATCH):
        batch = pseudo_collate(samples)
        images = np.stack([image.numpy() for image in batch['inputs']])
        heatmaps = session.run(None, {name: as_input(images, info)})[0]
        decoded = model.head.decode(torch.from_numpy(heatmaps))
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
