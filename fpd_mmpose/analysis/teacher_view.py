"""Runs a teacher over labeled people, as a distillation would."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.registry import MODELS
from torch import Tensor
from torch.utils.data import DataLoader

from fpd_mmpose.analysis.labeled_people import LabeledPeople
from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import to_image
from fpd_mmpose.progress import progress_bar
from fpd_mmpose.teachers.base import describe_student
from fpd_mmpose.teachers.joints import metainfo_of
from fpd_mmpose.teachers.output_format import Axis, Output, as_stages, pose_head
from fpd_mmpose.weights import load_fitting, read_state_dict

#: A head's size, as a share of the longer side of a person's box.
HEAD_SHARE = 0.1


class TeacherView(NamedTuple):
    """The labels of N people with K joints, and what the teacher says of them.

    Sizes and places are in pixels of the image.
    """

    numbers: np.ndarray  # of the people in :class:`LabeledPeople`, (N,)
    center: np.ndarray  # of the crops, (N, 2)
    scale: np.ndarray  # width and height of the crops, (N, 2)
    head: np.ndarray  # sizes of the heads, (N,)
    labels: np.ndarray  # labeled keypoints, (N, K, 2)
    labeled: np.ndarray  # which of them there are, (N, K) bool
    teacher: np.ndarray  # its keypoints, (N, K, 2)
    score: np.ndarray  # heights of its peaks, 0 to 1, (N, K); 0 for joints it lacks
    support: np.ndarray  # heights of its heatmaps at the labels, (N, K)
    student: np.ndarray | None  # the student's keypoints, (N, K, 2), if there is one


def view_people(
    config: Config,
    people: LabeledPeople,
    student: str | None = None,
    device: str = 'cpu',
    batch_size: int = 8,
    workers: int = 0,
) -> tuple[TeacherView, dict[int, str]]:
    """Runs the teacher; also says of which people the image cannot be read, and why."""
    model = _distiller(config, student).to(device)
    axes = describe_student(model).axes
    unread: dict[int, str] = {}

    def batches() -> Iterator[tuple[np.ndarray, ...]]:
        loader = DataLoader(people, batch_size, num_workers=workers, collate_fn=list)
        start = 0
        with progress_bar(len(people), 'teacher', 'person') as bar:
            for items in loader:
                numbers = range(start, start + len(items))
                start += len(items)
                found = dict(zip(numbers, items, strict=True))
                unread.update({n: i for n, i in found.items() if isinstance(i, str)})
                read = {n: i for n, i in found.items() if not isinstance(i, str)}
                if read:
                    yield _view_batch(model, axes, read, student is not None)
                bar.update(len(items))

    columns = list(zip(*batches(), strict=True))
    if not columns:
        raise UserError(f'no image can be read; the first: {unread[0]}')
    arrays = [np.concatenate(column) for column in columns]
    return TeacherView(*arrays, *[None] * (student is None)), unread


def _distiller(config: Config, student: str | None) -> Any:
    if not config.model.get('teacher'):
        raise UserError(
            f'config "{config.filename}" has no model.teacher to compare labels with: '
            'use the config of a distillation'
        )
    model = MODELS.build(config.model)
    model.metainfo = model.metainfo or metainfo_of(config)
    if student is not None:
        name = f'config "{config.filename}"'
        load_fitting(model, read_state_dict(student), f'"{student}"', name)
    model.eval()
    model.teacher.prepare(model)
    return model


@torch.inference_mode()
def _view_batch(
    model: Any, axes: tuple[Axis, Axis], items: dict[int, dict], with_student: bool
) -> tuple[np.ndarray, ...]:
    """Returns the fields of a view; the student's only if it has weights."""
    data = model.data_preprocessor(pseudo_collate(list(items.values())), False)
    inputs, samples = data['inputs'], data['data_samples']
    center = np.stack([sample.input_center for sample in samples])
    scale = np.stack([sample.input_scale for sample in samples])
    truth = [sample.gt_instances for sample in samples]
    labels = np.concatenate([one.keypoints for one in truth])[..., :2]
    visible = np.concatenate([one.keypoints_visible for one in truth])
    labeled = (visible[..., 0] if visible.ndim == 3 else visible) > 0
    sizes = np.array([_head_size(one) for one in truth])
    head: Any = pose_head(model.head)

    def decode(output: Output) -> np.ndarray:
        found = head.decode(output)
        points = np.concatenate([one.keypoints for one in found])
        return to_image(points, center, scale, samples[0].input_size)

    taught = model.teacher.teach(inputs, samples)
    has_joint = model.teacher.has_joint(inputs.device)
    score = taught.confidence().clamp(0, 1) * (1 if has_joint is None else has_joint)
    shares = (labels - center[:, None]) / scale[:, None] + 0.5
    cells = [
        (shares[..., number] * axis.size - axis.first) / axis.stride
        for number, axis in enumerate(axes)
    ]
    support = score * _relative_height(taught.values, *cells)
    fields = [np.array(list(items)), center, scale, sizes, labels, labeled]
    fields += [decode(taught.values), score.cpu().numpy(), support.cpu().numpy()]
    if with_student:
        fields.append(decode(as_stages(model(inputs, None), 'the student')[-1]))
    return tuple(fields)


def _relative_height(values: Output, x: np.ndarray, y: np.ndarray) -> Tensor:
    """Returns the values at cells (N, K), as shares of the highest ones."""
    if isinstance(values, tuple):
        pairs = [(values[0], x), (values[1], y)]
    else:
        width, last = values.shape[-1], np.array(values.shape[-2:]) - 1
        row, column = y.round().clip(0, last[0]), x.round().clip(0, last[1])
        pairs = [(values.flatten(2), row * width + column)]
    heights = []
    for cells, places in pairs:
        index = torch.from_numpy(places.round().clip(0, cells.shape[2] - 1))
        there = cells.gather(2, index.long().to(cells.device)[..., None])[..., 0]
        heights.append(there / cells.amax(2).clamp(min=1e-9))
    return torch.stack(heights).amin(0).clamp(0, 1)


def _head_size(truth: Any) -> float:
    if 'head_size' in truth:
        return float(np.asarray(truth.head_size).item())
    box = np.reshape(truth.bboxes, -1)[:4]
    return HEAD_SHARE * float(max(box[2] - box[0], box[3] - box[1]))
