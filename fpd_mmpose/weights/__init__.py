"""Reads, converts, and loads weight files."""

# First, as the plugin then imports the modules of this package.
import mmengine.runner  # noqa: F401

from fpd_mmpose.weights.checkpoint import read_state_dict as read_state_dict
from fpd_mmpose.weights.fitting import load_fitting as load_fitting
from fpd_mmpose.weights.fitting import partial_load as partial_load
from fpd_mmpose.weights.hourglass import to_reference as to_reference
