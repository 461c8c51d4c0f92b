"""Crops the people of a training run for a teacher whose heatmaps are stored."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from fpd_mmpose.geometry import fit_aspect_ratio, reference_crop, reference_warp
from fpd_mmpose.teachers.cache.identity import TrainingSource
from fpd_mmpose.teachers.cache.store import PersonKey, StoredPerson


def teacher_warp(
    center: np.ndarray, scale: np.ndarray, zoom: float, input_size: tuple[int, int]
) -> np.ndarray:
    """Computes the affine map (2, 3) from the image to the teacher's input.

    The box has a center and a padded width and height in pixels, which ``zoom``
    multiplies; the input size is a width and height.
    """
    return reference_warp(center, scale * zoom, 0.0, input_size)


def key_of_person(info: dict[str, Any]) -> PersonKey:
    """Identifies a person by ``img_path``, ``bbox`` (1, 4), and any ``frame_index``."""
    box = np.reshape(info['bbox'], -1)[:4].astype(float).round(3).tolist()
    frame = int(info.get('frame_index', -1))
    return PersonKey(str(info['img_path']), frame, json.dumps(box))


class TrainingInstances(Dataset):
    """The people of training datasets, cropped at each of several zooms.

    ``crop`` is described by :func:`~fpd_mmpose.teachers.cache.identity.crop_settings`.
    """

    def __init__(
        self,
        sources: Sequence[TrainingSource],
        crop: dict[str, Any],
        zooms: Sequence[float],
    ) -> None:
        self.zooms = tuple(zooms)
        width, height = crop['input size']
        self.input_size = (width, height)
        steps = [*crop['image'], *crop['box']]
        self.datasets = [
            DATASETS.build(dict(source.settings, pipeline=steps)) for source in sources
        ]
        self.places = [
            (number, index)
            for number, dataset in enumerate(self.datasets)
            for index in range(len(dataset))
        ]
        self.keys = [
            key_of_person(self.datasets[number].get_data_info(index))
            for number, index in self.places
        ]

    def __len__(self) -> int:
        return len(self.places)

    def keys_of(self, number: int) -> list[PersonKey]:
        """Returns the keys of the people of one dataset."""
        pairs = zip(self.keys, self.places, strict=True)
        return [key for key, (source, _) in pairs if source == number]

    def __getitem__(self, position: int) -> tuple[int, torch.Tensor, StoredPerson]:
        """Returns the position, the crops (Z, 3, H, W), uint8, and an empty record."""
        number, index = self.places[position]
        results = self.datasets[number][index]
        center = results['bbox_center'][0]
        scale = fit_aspect_ratio(results['bbox_scale'], self.input_size)
        crops = [
            reference_crop(
                results['img'],
                teacher_warp(center, scale[0], zoom, self.input_size),
                self.input_size,
            )
            for zoom in self.zooms
        ]
        images = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
        record = StoredPerson(center, scale[0], 0.0, 0, b'')
        return position, torch.from_numpy(images), record
