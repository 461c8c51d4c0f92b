"""How far stored heatmaps are from those of the live network."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS, MODELS
from torch import Tensor

from fpd_mmpose.teachers.cache.writer import live_teacher
from fpd_mmpose.teachers.joints import joint_names

#: Samples in a pass of the network.
BATCH = 8
#: Peaks below show no joint, and where they are is chance.
LOWEST_PEAK = 0.1


class JointDifference(NamedTuple):
    """The difference of one joint's heatmaps.

    Args:
        name (str): The joint.
        count (int): Samples in which the network sees it.
        live (float): Mean of its peaks.
        change (float): Mean absolute difference at that pixel.
        distance (float): Mean distance of the two peaks in heatmap pixels.
        near (float): Share of peaks that are at most a pixel apart.
        error (float): Squared difference of the whole heatmaps, by the live square.
    """

    name: str
    count: int
    live: float
    change: float
    distance: float
    near: float
    error: float


def compare(
    config: Config, path: str, samples: int, device: str = 'cpu'
) -> list[JointDifference]:
    """Compares on augmented training samples, drawn as in training.

    Args:
        config (Config): The config for distillation.
        path (str): The file.
        samples (int): How many.
        device (str): Of the network. Defaults to ``'cpu'``.

    Returns:
        list[JointDifference]: The joints, and ``'all'`` at the end.

    Raises:
        UserError: If a sample's person is not in the file, or the file is of another
            teacher. One line.
    """
    settings = copy.deepcopy(config.model)
    settings.teacher.cache = str(path)
    student = MODELS.build(settings).to(device)
    live = live_teacher(config)
    for teacher in (live, student.teacher):
        teacher.prepare(student)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    chosen = np.random.choice(len(dataset), min(samples, len(dataset)), replace=False)
    width, height = student.head.decoder.heatmap_size
    pairs = []
    for start in range(0, len(chosen), BATCH):
        batch = pseudo_collate([dataset[i] for i in chosen[start : start + BATCH]])
        data = student.data_preprocessor(batch, training=True)
        pairs.append(
            [
                teacher.heatmaps(
                    data['inputs'], (height, width), data['data_samples']
                ).cpu()
                for teacher in (live, student.teacher)
            ]
        )
    seen, stored = (torch.cat(maps) for maps in zip(*pairs, strict=True))
    names = joint_names(config) or [str(joint) for joint in range(seen.shape[1])]
    found = [
        _difference(name, seen[:, joint], stored[:, joint])
        for joint, name in enumerate(names)
    ]
    found.append(_difference('all', seen.flatten(0, 1), stored.flatten(0, 1)))
    return found


def as_table(differences: list[JointDifference]) -> str:
    """Formats what :func:`compare` found.

    Args:
        differences (list[JointDifference]): The joints.

    Returns:
        str: A Markdown table.
    """
    lines = [
        '| joint | seen | live peak | difference there | peaks apart (px) '
        '| within 1 px | squared error |',
        '| --- |' + ' ---: |' * 6,
    ]
    for one in differences:
        lines.append(
            f'| {one.name} | {one.count} | {one.live:.3f} | {one.change:.3f} '
            f'| {one.distance:.2f} | {one.near:.1%} | {one.error:.1%} |'
        )
    return '\n'.join(lines)


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
