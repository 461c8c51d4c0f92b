"""Finds NaN and infinity in weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def non_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names the tensors that hold NaN or infinity, with one look at the device.

    Args:
        tensors (Mapping[str, Tensor]): Such as a state dict; entries that are not
            tensors of floating-point or complex numbers are passed over.

    Returns:
        list[str]: Their names, in order.
    """
    floats = {
        name: value
        for name, value in tensors.items()
        if isinstance(value, Tensor)
        and (value.is_floating_point() or value.is_complex())
    }
    if not floats:
        return []
    flags = [value.isfinite().all() for value in floats.values()]
    finite = torch.stack([flag.to(flags[0].device) for flag in flags]).tolist()
    return [name for name, good in zip(floats, finite, strict=True) if not good]


def first_non_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Names the first tensor that holds NaN or infinity, see :func:`non_finite`.

    Args:
        tensors (Mapping[str, Tensor]): Such as a state dict.

    Returns:
        str | None: Its name; None if all numbers are finite.
    """
    return next(iter(non_finite(tensors)), None)


def is_number(value: Any) -> bool:
    """Tells whether a value is one number, as a metric is.

    Args:
        value: Anything.

    Returns:
        bool: True for numbers of Python and NumPy and tensors of one element.
    """
    return isinstance(value, int | float | np.number) or (
        isinstance(value, Tensor) and value.numel() == 1
    )
