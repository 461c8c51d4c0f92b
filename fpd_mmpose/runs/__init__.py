"""Makes runs safe: atomic checkpoints, resuming, and finite losses and weights."""

# First, as the plugin then imports the modules of this package.
import mmengine.runner  # noqa: F401

from fpd_mmpose.runs.checkpoint_hook import CheckpointHook

__all__ = ['CheckpointHook']
