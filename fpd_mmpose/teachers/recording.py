"""Records what a student's head computes in training."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


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
        return select_rows(outputs[-1], rows)

    head.forward = record
    try:
        yield outputs
    finally:
        del head.forward
        if previous is not None:
            head.forward = previous


def select_rows(output: Any, rows: slice | Tensor) -> Any:
    """Selects samples of a batch in a tensor, or in nested lists and tuples of them."""
    if isinstance(rows, slice) and rows == slice(None):
        return output
    if isinstance(output, (list, tuple)):
        return type(output)(select_rows(one, rows) for one in output)
    return output[rows]
