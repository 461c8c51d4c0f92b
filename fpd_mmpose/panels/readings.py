"""What labels, a teacher, and a student say of the joints of people, as heatmaps."""

from typing import Any, NamedTuple

import numpy as np
import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.structures import MultilevelPixelData, PoseDataSample
from mmpose.utils.typing import SampleList
from torch import Tensor
from torch.nn.functional import one_hot

from fpd_mmpose.teachers.base import Teacher
from fpd_mmpose.teachers.output_conversion import Conversion
from fpd_mmpose.teachers.output_format import (
    Axis,
    Output,
    OutputFormat,
    as_stages,
    describe_output,
    heatmap_format,
    pose_head,
    run_in_eval_mode,
)
from fpd_mmpose.teachers.stored import StoredTeacher

#: The height of the heatmaps that SimCC's vectors are shown as.
_ROWS = 64


class Reading(NamedTuple):
    """What is known of N people.

    Attributes:
        title: Who says it.
        maps: A heatmap for each joint, float32 (N, K, h, w), where 1 is as high as the
            peak of a label.
        axes: Where their pixels are in the input.
        keypoints: What they are decoded to, in pixels of the input, (N, K, 2).
        known: Whether there is anything to know of a joint, (N, K) bool.
    """

    title: str
    maps: np.ndarray
    axes: tuple[Axis, Axis]
    keypoints: np.ndarray
    known: np.ndarray


def read_network(
    network: BasePoseEstimator, inputs: Tensor, title: str
) -> tuple[OutputFormat, list[Reading]]:
    """Runs a network without training, and reads each of its stages.

    Raises:
        UserError: If it has neither heatmaps nor SimCC vectors.
    """
    output = run_in_eval_mode(network, inputs)
    height, width = inputs.shape[2:]
    given = getattr(network, 'output', None)
    form = describe_output(network, 'the network', (width, height), output, given)
    stages = as_stages(output, 'the network')
    titles = [title]
    if len(stages) > 1:
        titles = [f'{title}, stage {number}' for number in range(1, len(stages) + 1)]
    readings = [
        _read(network, form, name, stage, stage)
        for name, stage in zip(titles, stages, strict=True)
    ]
    return form, readings


def read_teacher(
    teacher: Teacher,
    student: BasePoseEstimator,
    form: OutputFormat,
    inputs: Tensor,
    data_samples: SampleList,
) -> Reading:
    """Reads what a teacher says to a student whose output has a format."""
    values = teacher.teach(inputs, data_samples).values
    has_joint = teacher.has_joint(inputs.device)
    known = None if has_joint is None else has_joint.bool().cpu().numpy()
    title = 'teacher' if known is None else f'teacher ({known.sum()} of {len(known)})'
    return _read(student, form, title, values, _as_logits(values, form), known)


def is_stored(student: BasePoseEstimator) -> bool:
    """Tells whether the teacher, if any, only knows the people of the training data."""
    return isinstance(getattr(student, 'teacher', None), StoredTeacher)


def read_targets(
    student: BasePoseEstimator, form: OutputFormat, data_samples: SampleList
) -> Reading:
    """Reads the encoded labels; joints without one are not known."""
    cells = (form.x.cells, form.y.cells)
    shapes = [cells[:1], cells[1:]] if form.simcc else [cells[::-1]]
    nothing = tuple(torch.zeros(form.joints, *shape) for shape in shapes)
    found = [_target(sample, form) for sample in data_samples]
    parts = zip(*(one or nothing for one in found), strict=True)
    stacked = tuple(torch.stack(part) for part in parts)
    values: Output = (stacked[0], stacked[1]) if form.simcc else stacked[0]
    logits = _as_logits(values, form)
    loss: Any = pose_head(student.head).loss_module
    if form.simcc and loss.label_softmax:
        x, y = (one * loss.label_beta / form.beta for one in values)
        logits = x, y
    known = (stacked[0].flatten(2).amax(2) > 0).numpy()
    return _read(student, form, 'target', values, logits, known)


def _target(sample: PoseDataSample, form: OutputFormat) -> tuple[Tensor, ...] | None:
    if not form.simcc:
        fields: Any = sample.get('gt_fields', {})
        if isinstance(fields, MultilevelPixelData):
            fields = fields[-1]
        return (fields.heatmaps.cpu(),) if 'heatmaps' in fields else None
    labels: Any = sample.get('gt_instance_labels', {})
    names = [f'keypoint_{axis}_labels' for axis in 'xy']
    if names[0] not in labels:
        return None
    found = zip((labels[name][0].cpu() for name in names), form.axes, strict=True)
    # Without smoothing, a label is the number of its cell.
    return tuple(
        one if one.ndim == 2 else one_hot(one.long(), axis.cells).float()
        for one, axis in found
    )


def _as_logits(values: Output, form: OutputFormat) -> Output:
    """Turns the probabilities of SimCC's cells into logits; keeps heatmaps."""
    if isinstance(values, Tensor):
        return values
    x, y = (one.clamp(min=1e-12).log() / form.beta for one in values)
    return x, y


def _read(
    network: BasePoseEstimator,
    form: OutputFormat,
    title: str,
    values: Output,
    output: Output,
    known: np.ndarray | None = None,
) -> Reading:
    """Decodes the values, and draws the output; of SimCC, these are its logits."""
    head: Any = pose_head(network.head)
    with np.errstate(invalid='ignore'):  # codecs divide by the peaks of blank maps
        decoded = head.decode(values)
    keypoints = np.concatenate([one.keypoints for one in decoded])
    shown = form
    if form.simcc:
        width, height = form.x.size, form.y.size
        cells = (max(2, round(_ROWS * width / height)), _ROWS)
        shown = heatmap_format(form.joints, (width, height), cells)
        output = Conversion(form, shown)(output).values
    assert isinstance(output, Tensor)
    maps = (output.float() / shown.peak).cpu().numpy()
    if known is None:
        known = np.ones(form.joints, bool)
    return Reading(
        title, maps, shown.axes, keypoints, np.broadcast_to(known, keypoints.shape[:2])
    )
