"""Measures the gain and the error of decoding JPEG files at half size."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
from mmengine.dataset import BaseDataset

from fpd_mmpose.datasets import FPDTopdownAffine

PADDING = 1.25
"""Factor by which the recipes enlarge boxes."""


@dataclass(frozen=True)
class ReducedDecode:
    """Results; milliseconds are per image."""

    share: float  # of people whose crop is at most half the size of their box
    whole_ms: float
    half_ms: float
    difference: float  # mean absolute difference of the crops, in gray levels


def measure_reduced_decode(
    dataset: BaseDataset, indices: Sequence[int], input_size: tuple[int, int]
) -> ReducedDecode | None:
    """Compares upright crops; returns None if no box is large enough."""
    crop = FPDTopdownAffine(input_size)
    rows = []
    for index in indices:
        record = dataset.get_data_info(index)
        center, scale = record['bbox_center'], record['bbox_scale'] * PADDING
        content = np.fromfile(record['img_path'], np.uint8)
        whole, whole_ms = _decode(content, cv2.IMREAD_COLOR)
        cropped = crop(dict(img=whole, bbox_center=center, bbox_scale=scale))
        if cropped['input_scale'][0] < 2 * input_size[0]:
            continue
        half, half_ms = _decode(content, cv2.IMREAD_REDUCED_COLOR_2)
        # A pixel at half size lies between two at full size.
        center, scale = (center - 0.5) / 2, scale / 2
        reduced = crop(dict(img=half, bbox_center=center, bbox_scale=scale))
        difference = np.abs(cropped['img'].astype(int) - reduced['img']).mean()
        rows.append((whole_ms, half_ms, difference))
    if not rows:
        return None
    return ReducedDecode(len(rows) / len(indices), *np.mean(rows, axis=0).tolist())


def _decode(content: np.ndarray, flag: int) -> tuple[np.ndarray, float]:
    start = perf_counter()
    image = cv2.imdecode(content, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    return image, (perf_counter() - start) * 1e3
