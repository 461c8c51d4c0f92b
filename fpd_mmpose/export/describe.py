"""Reads the description of an exported network from a pose estimator."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import nn

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.options import ExportOptions
from fpd_mmpose.geometry import PADDING, WARPS


def describe(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None = None
) -> ModelInfo:
    """Describes how a pose estimator is to be exported.

    The model needs ``cfg`` and ``dataset_meta``, which MMPose's ``init_model`` sets.
    """
    if not isinstance(model, TopdownPoseEstimator):
        raise UserError(
            f'a {type(model).__name__} cannot be exported: only top-down pose '
            'estimators can'
        )
    codec = _codec(model)
    crop, padding = _crop(model)
    joints, links, flips = _joints(model)
    order, mean, std = _normalization(model)
    return ModelInfo(
        joints=joints,
        links=links,
        flip_indices=flips,
        input_size=_size(codec.input_size),
        heatmap_size=_size(codec.heatmap_size),
        channel_order=order,
        mean=mean,
        std=std,
        codec=type(codec).__name__,
        crop=crop,
        padding=padding,
        image_order=options.image_order,
        decoded=options.with_decode,
        flip_test=options.flip_test,
        precision=options.precision,
        source=source or {},
    )


def _codec(model: TopdownPoseEstimator) -> MSRAHeatmap:
    codec = getattr(model.head, 'decoder', None) if model.with_head else None
    unbiased = getattr(codec, 'unbiased', False)
    if type(codec) not in (FPDHeatmap, MSRAHeatmap) or unbiased:
        name = type(codec).__name__ if codec else 'no codec'
        if unbiased:
            name += '(unbiased=True)'
        raise UserError(
            f'a network with {name} cannot be exported: only FPDHeatmap and '
            'MSRAHeatmap(unbiased=False) can'
        )
    if model.test_cfg.get('output_keypoint_indices') is not None:
        raise UserError(
            'test_cfg.output_keypoint_indices cannot be exported: remove it from the '
            'config to export all keypoints'
        )
    return codec


def _size(size: Any) -> tuple[int, int]:
    width, height = size
    return int(width), int(height)


def _pipeline(model: TopdownPoseEstimator) -> Iterator[Mapping[str, Any]]:
    for name in ('test_dataloader', 'val_dataloader'):
        pipeline = model.cfg.get(name, {}).get('dataset', {}).get('pipeline')
        if pipeline:
            yield from pipeline
            return
    raise UserError(
        'the config has no test_dataloader.dataset.pipeline, which defines how people '
        'are cropped'
    )


def _crop(model: TopdownPoseEstimator) -> tuple[str, float]:
    crop, padding = None, PADDING
    for step in _pipeline(model):
        kind = step['type'] if isinstance(step['type'], str) else step['type'].__name__
        kind = kind.rpartition('.')[2]
        if kind == 'GetBBoxCenterScale':
            padding = float(step.get('padding', PADDING))
        elif kind in WARPS:
            crop = kind
            if step.get('use_udp'):
                raise UserError(
                    'TopdownAffine(use_udp=True) in the test pipeline cannot be '
                    'exported: only FPDTopdownAffine and TopdownAffine(use_udp=False) '
                    'can'
                )
    if crop is None:
        raise UserError(
            f'the test pipeline has none of {", ".join(WARPS)}, which crop people'
        )
    return crop, padding


def _joints(model: TopdownPoseEstimator) -> tuple[tuple, tuple, tuple]:
    # Metadata of the model itself override those of the dataset, in MMPose too.
    meta = model.metainfo or model.dataset_meta
    names = meta['keypoint_id2name']
    joints = tuple(str(names[index]) for index in sorted(names))
    links = tuple((int(a), int(b)) for a, b in meta.get('skeleton_links', ()))
    return joints, links, tuple(int(index) for index in meta['flip_indices'])


def _normalization(
    model: TopdownPoseEstimator,
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    given = model.data_preprocessor
    converted = getattr(given, '_channel_conversion', False)
    order = 'rgb' if converted else 'bgr'
    if not getattr(given, '_enable_normalize', False):
        return order, (0.0,) * 3, (1.0,) * 3
    return order, _as_floats(given.mean), _as_floats(given.std)


def _as_floats(value: Any) -> tuple[float, ...]:
    flat = np.asarray(value.cpu(), np.float32).ravel()
    return tuple(float(str(number)) for number in flat)
