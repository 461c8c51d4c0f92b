"""What an exported file needs to say of a pose estimator."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import nn

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.options import ExportOptions

_CROPS = ('FPDTopdownAffine', 'TopdownAffine')
#: Of MMPose's GetBBoxCenterScale.
_DEFAULT_PADDING = 1.25


def describe(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None = None
) -> ModelInfo:
    """Reads from a pose estimator how it is fed and read.

    Args:
        model (nn.Module): With ``cfg`` and ``dataset_meta``, as MMPose's
            ``init_model`` gives it.
        options (ExportOptions): How it is to be exported.
        source (dict[str, str], optional): See :class:`ModelInfo`.

    Returns:
        ModelInfo: For the file.

    Raises:
        ValueError: If it is no top-down estimator of heatmaps, or its codec or its crop
            is not one that can be written down. One line.
    """
    if not isinstance(model, TopdownPoseEstimator):
        raise ValueError(
            f'a {type(model).__name__} cannot be exported: only top-down estimators can'
        )
    codec = _codec(model)
    crop, padding = _crop(model)
    joints, links, flips = _joints(model)
    order, mean, std = _normalisation(model)
    return ModelInfo(
        joints=joints,
        links=links,
        flip_indices=flips,
        input_size=tuple(int(v) for v in codec.input_size),
        heatmap_size=tuple(int(v) for v in codec.heatmap_size),
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


def _codec(model: nn.Module) -> MSRAHeatmap:
    codec = getattr(model.head, 'decoder', None) if model.with_head else None
    if type(codec) not in (FPDHeatmap, MSRAHeatmap) or codec.unbiased:
        name = type(codec).__name__ if codec else 'no codec'
        if getattr(codec, 'unbiased', False):
            name += '(unbiased=True)'
        raise ValueError(
            f'a network with {name} cannot be exported: only FPDHeatmap and '
            'MSRAHeatmap(unbiased=False) can'
        )
    if model.test_cfg.get('output_keypoint_indices') is not None:
        raise ValueError(
            'test_cfg.output_keypoint_indices cannot be exported: take it out of the '
            'config, the file then gives all keypoints'
        )
    return codec


def _pipeline(model: nn.Module) -> Iterator[Mapping[str, Any]]:
    for name in ('test_dataloader', 'val_dataloader'):
        pipeline = model.cfg.get(name, {}).get('dataset', {}).get('pipeline')
        if pipeline:
            yield from pipeline
            return
    raise ValueError(
        'the config has no test_dataloader.dataset.pipeline, which tells how people '
        'are cropped'
    )


def _crop(model: nn.Module) -> tuple[str, float]:
    crop, padding = None, _DEFAULT_PADDING
    for step in _pipeline(model):
        kind = step['type'] if isinstance(step['type'], str) else step['type'].__name__
        kind = kind.rpartition('.')[2]
        if kind == 'GetBBoxCenterScale':
            padding = float(step.get('padding', _DEFAULT_PADDING))
        elif kind in _CROPS:
            crop = kind
            if step.get('use_udp'):
                raise ValueError(
                    'TopdownAffine(use_udp=True) of the test pipeline cannot be '
                    'exported: only FPDTopdownAffine and TopdownAffine(use_udp=False) '
                    'can'
                )
    if crop is None:
        raise ValueError(
            'the test pipeline has none of ' + ', '.join(_CROPS) + ', which tell how '
            'people are cropped'
        )
    return crop, padding


def _joints(model: nn.Module) -> tuple[tuple, tuple, tuple]:
    # What a model says of its own joints overrides the data set, in MMPose too.
    meta = model.metainfo or model.dataset_meta
    names = meta['keypoint_id2name']
    joints = tuple(str(names[index]) for index in sorted(names))
    links = tuple((int(a), int(b)) for a, b in meta.get('skeleton_links', ()))
    return joints, links, tuple(int(index) for index in meta['flip_indices'])


def _normalisation(model: nn.Module) -> tuple[str, tuple, tuple]:
    given = model.data_preprocessor
    mean, std = (0.0,) * 3, (1.0,) * 3
    if getattr(given, '_enable_normalize', False):
        mean, std = (_as_floats(v) for v in (given.mean, given.std))
    converted = getattr(given, '_channel_conversion', False)
    return 'rgb' if converted else 'bgr', mean, std


def _as_floats(value: Any) -> tuple[float, ...]:
    flat = np.asarray(value.cpu(), np.float32).ravel()
    return tuple(float(str(one)) for one in flat)
