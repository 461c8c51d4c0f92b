"""Reads the description of an exported network from a pose estimator."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import Tensor, nn

from fpd_mmpose.decoding import OFFSETS
from fpd_mmpose.deploy.model_info import ModelInfo, check_values
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.codec_settings import check_estimator, codec_of, codec_settings
from fpd_mmpose.export.options import ExportOptions
from fpd_mmpose.geometry import PADDING, UDP_CROP, WARPS
from fpd_mmpose.teachers.live import normalization_of


def describe(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None = None
) -> ModelInfo:
    """Describes how a pose estimator is to be exported.

    The model needs ``cfg`` and ``dataset_meta``, which MMPose's ``init_model`` sets.
    """
    model = check_estimator(model)
    codec = codec_settings(codec_of(model))
    crop, padding = _crop(model)
    joints, links, flips = _joints(model)
    mean, std, converted = normalization_of(model.data_preprocessor)
    info = ModelInfo(
        joints=joints,
        links=links,
        flip_indices=flips,
        channel_order='rgb' if converted else 'bgr',
        mean=_as_floats(mean),
        std=_as_floats(std),
        crop=crop,
        padding=padding,
        image_order=options.image_order,
        decoded=options.with_decode,
        flip_test=options.flip_test,
        precision=options.precision,
        source=source or {},
        **codec,
    )
    test_cfg: Any = model.test_cfg
    mode = test_cfg.get('flip_mode', 'heatmap')
    needed = 'udp_combined' if info.codec == OFFSETS else 'heatmap'
    if options.flip_test and 'heatmaps' in info.maps and mode != needed:
        raise UserError(
            f'the flip test cannot be exported with flip_mode={mode!r}: {info.codec} '
            f'needs {needed!r} in model.test_cfg'
        )
    try:
        check_values(info)
    except ValueError as error:
        raise UserError(
            f'a network with {info.codec} cannot be exported ({error}): correct the '
            'codec in the config'
        ) from error
    return info


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
                crop = UDP_CROP
    if crop is None:
        raise UserError(
            f'the test pipeline has none of {", ".join(WARPS)}, which crop people'
        )
    return crop, padding


def meta_of(model: TopdownPoseEstimator) -> Mapping[str, Any]:
    """Returns what is known of the keypoints that the network predicts."""
    # Metadata of the model itself override those of the dataset, in MMPose too.
    return model.metainfo or model.dataset_meta


def rows_of(model: TopdownPoseEstimator) -> list[int] | None:
    """Returns ``output_keypoint_indices``: the only predicted keypoints to keep."""
    given = model.test_cfg.get('output_keypoint_indices')
    if given is None:
        return None
    rows = [int(row) for row in given]
    predicted = len(meta_of(model)['keypoint_id2name'])
    if not rows or not all(0 <= row < predicted for row in rows):
        raise UserError(
            f'test_cfg.output_keypoint_indices must be of the {predicted} keypoints of '
            f'the dataset, 0 to {predicted - 1}, got {rows}'
        )
    return rows


def _joints(model: TopdownPoseEstimator) -> tuple[tuple, tuple, tuple]:
    meta = meta_of(model)
    names = meta['keypoint_id2name']
    joints = [str(names[index]) for index in sorted(names)]
    links = [(int(a), int(b)) for a, b in meta.get('skeleton_links', ())]
    flips = [int(index) for index in meta['flip_indices']]
    rows = rows_of(model)
    if rows is None:
        return tuple(joints), tuple(links), tuple(flips)
    places = {row: place for place, row in reversed([*enumerate(rows)])}
    return (
        tuple(joints[row] for row in rows),
        tuple((places[a], places[b]) for a, b in links if {a, b} <= places.keys()),
        # A keypoint whose partner is left out has none.
        tuple(places.get(flips[row], place) for place, row in enumerate(rows)),
    )


def _as_floats(values: Tensor) -> tuple[float, ...]:
    flat = np.asarray(values, np.float32).ravel()
    return tuple(float(str(number)) for number in flat)
