"""Plain training in bfloat16."""

from functools import wraps
from typing import Any

from torch import nn

from fpd_mmpose.device_accuracy import accuracy_on_device


def keep_accuracy_on_device(head: nn.Module) -> None:
    """Replaces the ``loss`` of a head by one within :func:`accuracy_on_device`.

    Plain training in bfloat16 needs this, because NumPy has no such type.
    """
    loss: Any = head.loss

    @wraps(loss)
    def on_device(*args: Any, **kwargs: Any) -> dict:
        with accuracy_on_device(head):
            return loss(*args, **kwargs)

    head.loss = on_device  # type: ignore[assignment]
