"""The people of a training run, as a teacher that is stored sees them."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from fpd_mmpose.geometry import crop_box, fit_aspect_ratio, reference_warp
from fpd_mmpose.teachers.cache.identity import Source
from fpd_mmpose.teachers.cache.store import PersonKey, StoredPerson


def teacher_warp(
    center: np.ndarray, scale: np.ndarray, zoom: float, input_size: Sequence[int]
) -> np.ndarray:
    """Computes the affine map from the picture to the teacher's input.

    Args:
        center (np.ndarray): Of the padded box in pixels, (2,).
        scale (np.ndarray): Its width and height in pixels, (2,).
        zoom (float): What they are multiplied by.
        input_size (Sequence[int]): Width and height of the input.

    Returns:
        np.ndarray: The matrix, (2, 3).
    """
    return reference_warp(center, scale * zoom, 0.0, input_size)


def key_of_person(info: dict[str, Any]) -> PersonKey:
    """Says what a person is recognised by.

    Args:
        info (dict): With ``img_path``, ``bbox`` (1, 4) and maybe ``frame_index``.

    Returns:
        PersonKey: The key.
    """
    box = np.reshape(info['bbox'], -1)[:4].astype(float).round(3).tolist()
    frame = int(info.get('frame_index', -1))
    return PersonKey(str(info['img_path']), frame, json.dumps(box))


class People(Dataset):
    """The people of some data sets, as the teacher is to see them.

    Args:
        sources (Sequence[Source]): The data sets.
        crop (dict): See :func:`~fpd_mmpose.teachers.cache.identity.crop_settings`.
        zooms (Sequence[float]): What the padded box is multiplied by, for each of the
            pictures that the teacher sees.
    """

    def __init__(
        self, sources: Sequence[Source], crop: dict[str, Any], zooms: Sequence[float]
    ):
        self.zooms = tuple(zooms)
        self.input_size = tuple(crop['input size'])
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
        """Gives the people of one of the data sets."""
        pairs = zip(self.keys, self.places, strict=True)
        return [key for key, (source, _) in pairs if source == number]

    def __getitem__(self, position: int) -> tuple[int, torch.Tensor, StoredPerson]:
        """Crops a person.

        Args:
            position (int): Which one.

        Returns:
            tuple: The position, the pictures (Z, 3, H, W) as uint8, and the record,
            which has no heatmaps yet.
        """
        number, index = self.places[position]
        results = self.datasets[number][index]
        center = results['bbox_center'][0]
        scale = fit_aspect_ratio(results['bbox_scale'], self.input_size)
        pictures = [
            crop_box(
                results['img'],
                teacher_warp(center, scale[0], zoom, self.input_size),
                self.input_size,
            )
            for zoom in self.zooms
        ]
        pictures = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
        record = StoredPerson(center, scale[0], 0.0, 0, b'')
        return position, torch.from_numpy(pictures), record
