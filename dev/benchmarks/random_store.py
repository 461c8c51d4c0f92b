"""Stores a teacher's heatmaps for the distillation benchmark."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.random_people import BOX, image_path
from fpd_mmpose.geometry import box_center_scale, fit_aspect_ratio
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore, PersonKey, StoredPerson
from fpd_mmpose.teachers.cache.writer import ZOOMS
from fpd_mmpose.teachers.live import LiveTeacher
from fpd_mmpose.teachers.output_format import as_stages


def write_store(
    path: Path, teacher: LiveTeacher, images: Tensor, input_size: Sequence[int]
) -> None:
    """Stores heatmaps for the people of :func:`random_batch`.

    Heatmaps of random weights compress to several times the size of a trained
    teacher's, so reading them takes longer than in real training. An image and its
    flip stand in for the two zooms.
    """
    with torch.inference_mode():
        views = [
            as_stages(teacher.model(v, None), 'the teacher')[-1]
            for v in (images, images.flip(-1))
        ]
    heatmaps = torch.stack(views, dim=1).cpu().numpy()
    joints = heatmaps.shape[2]
    store = HeatmapStore(path, write=True)
    store.claim(
        {
            'input size': list(input_size),
            'zooms': list(ZOOMS),
            'shape': list(heatmaps.shape[1:]),
            'joints': None,
            'flip_indices': list(range(joints)),
        }
    )
    center, scale = box_center_scale(BOX, padding=1.25)
    crop = center[0], fit_aspect_ratio(scale, input_size)[0]
    box = json.dumps(BOX[0].astype(float).tolist())
    store.add(
        (
            PersonKey(image_path(number), -1, box),
            StoredPerson(*crop, *pack_maps(maps)),
        )
        for number, maps in enumerate(heatmaps)
    )
    store.close()
