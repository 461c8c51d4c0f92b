"""The score of a graph, by the metric of its config."""

import contextlib
import io
from collections.abc import Iterable

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from onnx import ModelProto
from torch import nn
from torch.utils.data import Dataset

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.checking import session
from fpd_mmpose.export.int8.calibration import as_input, batches

#: The metric of each kind of data that people go by.
_HEADLINES = ('PCKh/Mean', 'PCK/Mean PCKh', 'coco/AP')
_BATCH = 16


def score(
    graph: ModelProto,
    info: ModelInfo,
    model: nn.Module,
    people: Dataset,
    metrics: list[dict],
) -> dict[str, float]:
    """Runs a graph on labelled people.

    Args:
        graph (ModelProto): It gives heatmaps first.
        info (ModelInfo): How to feed it.
        model (nn.Module): The pose estimator that it was made of; it decodes and maps
            keypoints into the image.
        people (Dataset): Labelled samples.
        metrics (list[dict]): Settings of the metrics.

    Returns:
        dict[str, float]: Metrics by name.
    """
    runtime = session(graph)
    name = runtime.get_inputs()[0].name
    measure = Evaluator(metrics)
    measure.dataset_meta = people.metainfo
    for samples in batches(people, _BATCH):
        batch = pseudo_collate(samples)
        images = np.stack([image.numpy() for image in batch['inputs']])
        heatmaps = runtime.run(None, {name: as_input(images, info)})[0]
        decoded = model.head.decode(torch.from_numpy(heatmaps))
        found = model.add_pred_to_datasample(decoded, None, batch['data_samples'])
        measure.process(found, batch)
    # The tables of both graphs would hide what is to be compared.
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return measure.evaluate(len(people))
    finally:
        logger.setLevel(level)


def headline(names: Iterable[str]) -> str:
    """Picks the metric that people go by.

    Args:
        names (Iterable[str]): Of metrics, at least one.

    Returns:
        str: One of them.
    """
    names = list(names)
    return next((name for name in _HEADLINES if name in names), names[0])
