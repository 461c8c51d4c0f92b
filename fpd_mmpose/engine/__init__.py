"""Running and hooking into mmengine."""

from fpd_mmpose.engine.hooks import (
    CheckpointHook,
    MultiScaleSearchHook,
    ProgressHook,
    ValidateBeforeTrainingHook,
)
from fpd_mmpose.runs import resuming, whole_file_backend

__all__ = [
    'CheckpointHook',
    'MultiScaleSearchHook',
    'ProgressHook',
    'ValidateBeforeTrainingHook',
    'install',
]


def install() -> None:
    """Makes MMEngine write local files whole, and say why a run cannot be resumed.

    Idempotent.
    """
    whole_file_backend.install()
    resuming.install()
