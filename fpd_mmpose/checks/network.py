"""Builds the network of a config with its weights, and tries it on a person."""

import copy
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import load_checkpoint
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from fpd_mmpose.checks.findings import Report, one_line
from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.teachers.joints import metainfo_of
from fpd_mmpose.weights.local_copies import local_copy


def build_network(config: Config, report: Report, load: bool) -> nn.Module | None:
    """Builds the network and, with ``load``, the weights that need no download.

    Returns None if it cannot be built or the weights do not fit, which is reported.
    """
    try:
        with quiet():
            model = MODELS.build(copy.deepcopy(config.model))
            teacher = config.model.get('teacher') or {}
            if load and _is_here(teacher.get('checkpoint')):
                # Joints are matched by the names of the run's datasets.
                model.metainfo = model.metainfo or metainfo_of(config)
                model.teacher.prepare(model)
            if load and _is_here(config.get('load_from')):
                load_checkpoint(model, config.load_from, map_location='cpu')
    except Exception as error:  # of any type: it would stop the run, too
        line = one_line(error)
        report.problems.append(line if line.startswith('model') else f'model: {line}')
        return None
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Suppresses what components print and log while they are built."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _is_here(file: Any) -> bool:
    if not isinstance(file, str):
        return False
    return Path(file).expanduser().is_file() or local_copy(file) is not None


@torch.no_grad()
def check_targets(model: nn.Module, item: Any) -> None:
    """Raises an error if a head returns maps of another shape than the targets.

    ``item`` is a person as the pipeline returns it. Networks and targets other than
    heatmaps and SimCC vectors are left alone.
    """
    if not isinstance(item, dict) or not isinstance(model, TopdownPoseEstimator):
        return
    wanted = _targets(item.get('data_samples'))
    if wanted is None:
        return
    channels, height, width = item['inputs'].shape
    was_training = model.training
    model.eval()
    try:
        device = next(model.parameters()).device
        images = torch.zeros(1, channels, height, width, device=device)
        found = _outputs(model(images, None, mode='tensor'))
    except RuntimeError as error:
        raise UserError(
            f'the network cannot take images of {width} x {height} pixels: '
            f'{first_line(error)}'
        ) from error
    finally:
        model.train(was_training)
    if found is not None and found != wanted:
        raise UserError(
            f'the network returns {_described(found)}, and the targets of the training '
            f'data are {_described(wanted)}: set the joints and the size in `model` '
            "and in GenerateTarget's encoder alike"
        )


#: One shape (K, H, W) of heatmaps, or two, (K, X) and (K, Y), of SimCC vectors.
_Shapes = list[tuple[int, ...]]


def _targets(sample: PoseDataSample | None) -> _Shapes | None:
    labels: Any = getattr(sample, 'gt_instance_labels', {})
    if 'keypoint_x_labels' in labels:
        vectors = labels.keypoint_x_labels, labels.keypoint_y_labels
        return [tuple(each.shape[1:]) for each in vectors]
    heatmaps = getattr(getattr(sample, 'gt_fields', None), 'heatmaps', None)
    if isinstance(heatmaps, list):  # of several levels, the finest one comes last
        heatmaps = heatmaps[-1]
    return [tuple(heatmaps.shape)] if isinstance(heatmaps, Tensor) else None


def _outputs(output: Any) -> _Shapes | None:
    tensors = list(output) if isinstance(output, list | tuple) else [output]
    if not all(isinstance(each, Tensor) for each in tensors):
        return None
    if len(tensors) == 2 and all(each.ndim == 3 for each in tensors):
        return [tuple(each.shape[1:]) for each in tensors]
    # Of several stages, the last one.
    return [tuple(tensors[-1].shape[1:])] if tensors[-1].ndim == 4 else None


def _described(shapes: _Shapes) -> str:
    if len(shapes) == 2:
        (joints, across), (_, down) = shapes
        return f'SimCC vectors of {across} and {down} values for {joints} joints'
    joints, height, width = shapes[0]
    return f'{joints} heatmaps of {width} x {height}'
