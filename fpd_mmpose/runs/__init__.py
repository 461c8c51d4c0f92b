"""Makes runs safe: atomic checkpoints, resuming, and finite losses and weights."""

from fpd_mmpose.runs import resuming, whole_file_backend
from fpd_mmpose.runs.checkpoint_hook import CheckpointHook

__all__ = ['CheckpointHook', 'install']


def install() -> None:
    """Makes mmengine write files atomically and name a file it cannot resume from."""
    whole_file_backend.install()
    resuming.install()
