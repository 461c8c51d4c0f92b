"""Reads, converts, and loads weight files."""

# First, as the plugin then imports the modules of this package.
import mmengine.runner  # noqa: F401

from fpd_mmpose.weights.checkpoint import read_state_dict
from fpd_mmpose.weights.fitting import load_fitting, partial_load
from fpd_mmpose.weights.hourglass import (
    from_reference,
    is_reference_hourglass,
    to_reference,
)
from fpd_mmpose.weights.layouts import from_official, recognize, to_official
from fpd_mmpose.weights.mmengine_loader import install

__all__ = [
    'from_official',
    'from_reference',
    'install',
    'is_reference_hourglass',
    'load_fitting',
    'partial_load',
    'read_state_dict',
    'recognize',
    'to_official',
    'to_reference',
]
