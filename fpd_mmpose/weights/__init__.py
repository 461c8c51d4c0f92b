"""Reads, converts, and loads weight files."""

# First, as the plugin then imports the modules of this package.
import mmengine.runner  # noqa: F401

from fpd_mmpose.weights.checkpoint import read_state_dict
from fpd_mmpose.weights.fitting import load_fitting, partial_load
from fpd_mmpose.weights.hourglass import to_reference

__all__ = ['load_fitting', 'partial_load', 'read_state_dict', 'to_reference']
