"""Heatmaps of the many heads of MMPose, brought to one form."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch import Tensor, nn

from fpd_mmpose.errors import UserError


def as_stages(output: Any, owner: str) -> list[Tensor]:
    """Takes the output of a head as the heatmaps of its stages.

    Args:
        output: What the head's ``forward`` returned: heatmaps (N, K, H, W), or a
            sequence of them, one for each stage.
        owner (str): Whose output it is, for the message.

    Returns:
        list[Tensor]: One tensor (N, K, H, W) for each stage, the last one being the
        head's final answer.

    Raises:
        UserError: If it is anything else.
    """
    stages = list(output) if isinstance(output, (list, tuple)) else [output]
    if stages and all(isinstance(s, Tensor) and s.ndim == 4 for s in stages):
        return stages
    raise UserError(
        f'the head of {owner} returns no heatmaps of shape (N, K, H, W), and only '
        'they can be distilled'
    )


def student_stages(student: BasePoseEstimator) -> list[Tensor]:
    """Runs the student on an empty picture.

    Args:
        student (BasePoseEstimator): The network to be trained.

    Returns:
        list[Tensor]: Heatmaps of each stage, (1, K, H, W).

    Raises:
        UserError: If it has no codec, or gives no heatmaps. One line.
    """
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
    """Copies what a step computed on the host, without waiting for the device.

    Args:
        tensor (Tensor): On the CPU.
        device (torch.device): Where it is wanted.

    Returns:
        Tensor: The copy, or on the CPU the tensor itself.
    """
    if device.type == 'cuda':
        tensor = tensor.pin_memory()  # from other memory the host would wait
    return tensor.to(device, non_blocking=True)


@contextmanager
def recorded_forward(
    head: nn.Module, rows: slice | Tensor = slice(None)
) -> Iterator[list]:
    """Collects what a head's ``forward`` returns while its ``loss`` runs.

    MMPose's heads call ``self.forward`` directly, which runs no module hooks.

    Args:
        head (nn.Module): The head.
        rows (slice | Tensor): The samples of the batch that the head's ``loss`` gets
            to see; all of them are run and recorded. Defaults to all.

    Yields:
        list: Filled with one entry for each call.
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
    """Brings heatmaps to another resolution, bilinearly, without moving the peaks.

    Heatmap pixel i stands for input pixel i * stride, as in MSRAHeatmap: pixel 0 of
    both grids coincides, rather than their outer borders as in ``F.interpolate``.

    Args:
        heatmaps (Tensor): (N, K, h, w).
        size (Sequence[int]): Height and width wanted.

    Returns:
        Tensor: (N, K, *size).
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
