"""Finds keypoints in heatmaps averaged over several scales of the box."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseTTAModel
from mmpose.codecs import MSRAHeatmap
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.errors import UserError

#: The factors of the person's box in PyraNet's tests, whose code the paper used.
SCALES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)


@MODELS.register_module()
class MultiScaleSearch(BaseTTAModel):
    """The test protocol of the FPD paper, from PyraNet (Yang et al., ICCV 2017).

    The heatmaps of each scale are mapped back to the original image and averaged there;
    a keypoint is the pixel with the highest average, see :func:`search`. A sample keeps
    its ground truth and its box at scale 1, and no heatmaps.

    :class:`MultiScaleSearchHook` puts this model around the tested one, and the scales
    into the test pipeline.

    Args:
        module: A top-down estimator with ``MSRAHeatmap`` or a subclass as its decoder,
            or its config. Its ``test_cfg.output_heatmaps`` is switched on.
        scales: The factors of the person's box in the test pipeline, in its order.
        **kwargs: Arguments of ``BaseTTAModel``.

    Raises:
        UserError: If a scale is not a positive number, or the model has another
            decoder.
    """

    def __init__(
        self, module: dict | nn.Module, scales: Sequence[float] = SCALES, **kwargs: Any
    ) -> None:
        super().__init__(module, **kwargs)
        self.scales = check_scales(scales)
        model = bare_model(self.module)
        decoder = getattr(getattr(model, 'head', None), 'decoder', None)
        if not isinstance(model, TopdownPoseEstimator) or not isinstance(
            decoder, MSRAHeatmap
        ):
            raise UserError(
                'multi-scale search needs a TopdownPoseEstimator whose head has the '
                f'decoder MSRAHeatmap or FPDHeatmap, got {type(model).__name__} with '
                f'{type(decoder).__name__}'
            )
        model.test_cfg = {**model.test_cfg, 'output_heatmaps': True}

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[PoseDataSample]]
    ) -> list[PoseDataSample]:
        """Merges the samples of each person, one for each scale, into one."""
        return [self._merge(samples) for samples in data_samples_list]

    def _merge(self, samples: Sequence[PoseDataSample]) -> PoseDataSample:
        if len(samples) != len(self.scales):
            raise UserError(
                f'the test pipeline made {len(samples)} scales of a person, but '
                f'MultiScaleSearch expects {len(self.scales)}'
            )
        sizes = np.array([sample.metainfo['input_scale'] for sample in samples])
        centers = np.array([sample.metainfo['input_center'] for sample in samples])
        keypoints, scores = search(
            [sample.pred_fields.heatmaps for sample in samples],
            centers - sizes / 2,
            sizes,
            samples[0].metainfo['ori_shape'][:2],
        )
        nearest = int(np.argmin(np.abs(np.array(self.scales) - 1)))
        merged = samples[nearest]
        # CocoMetric computes a person's area from these.
        truth = merged.gt_instances
        truth.bbox_scales = truth.bbox_scales / self.scales[nearest]
        found = merged.pred_instances
        found.keypoints = keypoints[None]
        found.keypoint_scores = found.keypoints_visible = scores[None]
        del merged.pred_fields
        return merged


def check_scales(scales: Sequence[float | str]) -> tuple[float, ...]:
    """Converts scales, numbers or text, to at least one positive, finite number."""
    if isinstance(scales, str) or not isinstance(scales, Sequence) or not scales:
        raise UserError(f'multi-scale search needs a list of scales, got {scales!r}')
    numbers = []
    for scale in scales:
        try:
            numbers.append(float(scale))
        except (TypeError, ValueError):
            numbers.append(math.nan)
        if not (numbers[-1] > 0 and math.isfinite(numbers[-1])):
            raise UserError(
                f'the scales of multi-scale search are positive numbers, got {scale!r}'
            )
    return tuple(numbers)


def search(
    heatmaps: Sequence[Tensor],
    corners: np.ndarray,
    sizes: np.ndarray,
    image_shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Finds keypoints (K, 2) and their scores (K,) in the average of S crops.

    The heatmaps of a crop, (K, h, w), are interpolated bilinearly at the pixels of the
    image, and are zero outside of the crop; pixels outside of all crops are ignored.
    The left upper corners and the widths and heights of the crops, (S, 2) each, are in
    image pixels. As everywhere in MMPose, heatmap pixel 0 lies on the corner, and a
    crop is as wide as ``w`` heatmap pixels. ``image_shape`` is a height and width.
    """
    limit = np.array(image_shape[::-1])
    start = np.clip(np.floor(corners.min(axis=0)), 0, limit - 1).astype(int)
    stop = np.ceil((corners + sizes).max(axis=0)).astype(int)
    # For a box beside the image, the nearest pixels of the border are left.
    stop = np.clip(stop, start + 1, limit)
    columns, rows = (np.arange(*ends) for ends in zip(start, stop, strict=True))

    # Along each axis bilinear interpolation is a matrix. One product over the stacked
    # columns of all heatmaps interpolates along the second axis and adds the scales.
    stretched, across = [], []
    for heatmap, (left, top), (width, height) in zip(
        heatmaps, corners, sizes, strict=True
    ):
        # Half precision, as under autocast, would move the maxima.
        heatmap = heatmap.float()
        h, w = heatmap.shape[-2:]
        down = _interpolation((rows - top) / (height / h), h).to(heatmap)
        across.append(_interpolation((columns - left) / (width / w), w).to(heatmap))
        with torch.autocast(heatmap.device.type, enabled=False):
            stretched.append(down @ heatmap)
    with torch.autocast(heatmap.device.type, enabled=False):
        total = torch.cat(stretched, dim=-1) @ torch.cat(across, dim=-1).T
    scores, best = (total / len(heatmaps)).flatten(1).max(dim=1)
    y, x = np.divmod(best.cpu().numpy(), len(columns))
    keypoints = np.stack([x, y], axis=1) + start
    return keypoints.astype(np.float32), scores.cpu().numpy()


def _interpolation(positions: np.ndarray, size: int) -> Tensor:
    """Computes bilinear weights of `size` samples; zero beyond the ends."""
    distance = np.abs(positions[:, None] - np.arange(size))
    return torch.from_numpy(np.maximum(1 - distance, 0))
