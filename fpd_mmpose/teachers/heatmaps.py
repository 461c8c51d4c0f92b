"""Brings the heatmaps of MMPose's various heads into one form."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import Tensor, nn

from fpd_mmpose.errors import UserError


def as_stages(output: Any, owner: str) -> list[Tensor]:
    """Converts the output of a head to heatmaps (N, K, H, W), one tensor a stage.

    The last stage is the head's final answer. ``owner`` names the network in errors.
    """
    stages = list(output) if isinstance(output, (list, tuple)) else [output]
    if stages and all(isinstance(s, Tensor) and s.ndim == 4 for s in stages):
        return stages
    raise UserError(
        f'the head of {owner} returns no heatmaps of shape (N, K, H, W), and only '
        'heatmaps can be distilled'
    )


def student_stages(student: BasePoseEstimator) -> list[Tensor]:
    """Returns the heatmaps (1, K, H, W) of each stage for an empty image."""
    decoder = getattr(student.head, 'decoder', None)
    if decoder is None:
        raise UserError('the head of the student has no decoder: set its codec')
    width, height = decoder.input_size
    device = next(student.parameters()).device
    was_training = student.training
    student.train(False)
    try:
        with torch.no_grad():
            image = torch.zeros(1, 3, height, width, device=device)
            return as_stages(student(image, None), 'the student')
    finally:
        student.train(was_training)


def copy_to(tensor: Tensor, device: torch.device) -> Tensor:
    """Copies a tensor from the CPU to a device, without waiting for the device."""
    if device.type == 'cuda':
        tensor = tensor.pin_memory()  # from other memory the host would wait
    return tensor.to(device, non_blocking=True)


@contextmanager
def recorded_forward(
    head: nn.Module, rows: slice | Tensor = slice(None)
) -> Iterator[list]:
    """Collects what a head's ``forward`` returns while its ``loss`` runs.

    All samples of the batch are recorded, but ``loss`` gets only those of ``rows``.
    MMPose's heads call ``self.forward`` directly, so module hooks do not run.
    """
    outputs: list = []
    previous = vars(head).get('forward')
    forward = head.forward

    def record(*args: Any, **kwargs: Any) -> Any:
        outputs.append(forward(*args, **kwargs))
        return _select(outputs[-1], rows)

    head.forward = record
    try:
        yield outputs
    finally:
        del head.forward
        if previous is not None:
            head.forward = previous


def _select(output: Any, rows: slice | Tensor) -> Any:
    if isinstance(rows, slice) and rows == slice(None):
        return output
    if isinstance(output, (list, tuple)):
        return type(output)(_select(one, rows) for one in output)
    return output[rows]


def resize_heatmaps(heatmaps: Tensor, size: Sequence[int]) -> Tensor:
    """Resizes heatmaps bilinearly to a height and width, without moving the peaks.

    Heatmap pixel i stands for input pixel i * stride, as in MSRAHeatmap: pixel 0 of
    both grids coincides, rather than their outer borders as in ``F.interpolate``.
    """
    height, width = heatmaps.shape[-2:]
    if (height, width) == tuple(size):
        return heatmaps
    rows = _positions(size[0], height, heatmaps)
    columns = _positions(size[1], width, heatmaps)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing='xy'), dim=-1)
    grid = grid.expand(len(heatmaps), -1, -1, -1)
    return F.grid_sample(heatmaps, grid, padding_mode='border', align_corners=True)


def _positions(wanted: int, present: int, like: Tensor) -> Tensor:
    pixels = torch.arange(wanted, device=like.device, dtype=like.dtype)
    return pixels * (present / wanted) / max(present - 1, 1) * 2 - 1
