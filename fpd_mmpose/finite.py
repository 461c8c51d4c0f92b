"""Tells numbers that can be used from NaN, infinity, and other values."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def non_finite(tensors: Mapping[str, Any]) -> list[str]:
    """Names the tensors that hold NaN or infinity, with one device synchronization.

    Integers, and entries of a state dict that are not tensors, are skipped.
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


def is_count(value: Any) -> bool:
    """Checks whether a value from a file is a whole number from 0 to 2^53."""
    return type(value) is int and 0 <= value < 1 << 53


def is_number(value: Any) -> bool:
    """Checks whether a value is a single number, as metrics are."""
    return isinstance(value, int | float | np.integer | np.floating) or (
        isinstance(value, Tensor) and value.numel() == 1
    )


def is_finite_number(value: Any) -> bool:
    """Checks whether a value is a single number, and neither NaN nor infinite."""
    try:
        return is_number(value) and math.isfinite(value)
    except (OverflowError, RuntimeError):  # hundreds of digits, or complex
        return False
