"""The score of a graph in the metrics of its config."""

import contextlib
import io
from collections.abc import Iterable

import numpy as np
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from onnx import ModelProto

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.output_decoding import decode_maps
from fpd_mmpose.export.checking import open_session
from fpd_mmpose.export.describe import rows_of
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

    The graph returns ``info.maps`` first; ``model`` maps the keypoints into the image.
    """
    session = open_session(graph)
    rows = rows_of(model)
    name = session.get_inputs()[0].name
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = people.metainfo
    for samples in batches(people, _BATCH):
        batch = pseudo_collate(samples)
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
