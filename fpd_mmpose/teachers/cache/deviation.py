"""Measures how far stored heatmaps are from those of the live network."""

import copy
from dataclasses import astuple, dataclass

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS, MODELS
from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.teachers.base import Teacher, describe_student
from fpd_mmpose.teachers.factory import build_live_teacher
from fpd_mmpose.teachers.joints import joints_of

#: Samples in one pass of the network.
BATCH = 8
#: Lower peaks show no joint, and their places are random.
LOWEST_PEAK = 0.1


@dataclass(frozen=True)
class JointDifference:
    """The difference of one joint's heatmaps."""

    name: str
    count: int  # samples in which the network sees the joint
    live: float  # mean peak of the network
    change: float  # mean absolute difference at the pixel of that peak
    distance: float  # mean distance of the two peaks in heatmap pixels
    near: float  # share of peaks that are at most a pixel apart
    error: float  # squared difference of the heatmaps by the network's square


def compare(
    config: Config, path: str, samples: int, device: str = 'cpu'
) -> list[JointDifference]:
    """Compares the heatmaps of random training samples, by joint and for 'all'."""
    live = build_live_teacher(config.model.get('teacher') or {})
    settings = copy.deepcopy(config.model)
    settings.teacher.cache = str(path)
    student = MODELS.build(settings).to(device)
    teachers: list[Teacher] = [live, student.teacher]
    for teacher in teachers:
        teacher.prepare(student)
    if describe_student(student).simcc:
        raise UserError('a comparison needs a student with heatmaps, not with SimCC')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    chosen = np.random.choice(len(dataset), min(samples, len(dataset)), replace=False)
    pairs = []
    for start in range(0, len(chosen), BATCH):
        batch = pseudo_collate([dataset[i] for i in chosen[start : start + BATCH]])
        data = student.data_preprocessor(batch, training=True)
        found_maps = [
            teacher.teach(data['inputs'], data['data_samples']).values
            for teacher in teachers
        ]
        pairs.append([maps.cpu() for maps in found_maps if isinstance(maps, Tensor)])
    seen, stored = (torch.cat(maps) for maps in zip(*pairs, strict=True))
    joints = joints_of(config)
    names = joints.names if joints else [str(joint) for joint in range(seen.shape[1])]
    found = [
        _difference(name, seen[:, joint], stored[:, joint])
        for joint, name in enumerate(names)
    ]
    found.append(_difference('all', seen.flatten(0, 1), stored.flatten(0, 1)))
    return found


def as_table(differences: list[JointDifference]) -> str:
    """Formats the result of :func:`compare` as a Markdown table."""
    headings = ('joint', 'seen', 'live peak', 'difference there', 'peaks apart (px)')
    rows = []
    for one in differences:
        name, count, *numbers = astuple(one)
        pairs = zip(numbers, ('.3f', '.3f', '.2f', '.1%', '.1%'), strict=True)
        cells = [format(number, form) if count else '-' for number, form in pairs]
        rows.append((name, str(count), *cells))
    return markdown_table((*headings, 'within 1 px', 'squared error'), rows)


def _difference(name: str, live: Tensor, stored: Tensor) -> JointDifference:
    width = live.shape[-1]
    live, stored = live.flatten(1), stored.flatten(1)
    peaks, places = live.max(dim=1)
    seen = peaks >= LOWEST_PEAK
    live, stored, peaks, places = live[seen], stored[seen], peaks[seen], places[seen]
    others = stored.argmax(dim=1) if len(stored) else places
    change = (stored.gather(1, places[:, None])[:, 0] - peaks).abs()
    across = places % width - others % width
    down = places // width - others // width
    distance = (across**2 + down**2).float().sqrt()
    return JointDifference(
        name,
        len(peaks),
        float(peaks.mean()),
        float(change.mean()),
        float(distance.mean()),
        float((distance < 1.5).float().mean()),
        float(((live - stored) ** 2).sum() / (live**2).sum()),
    )
