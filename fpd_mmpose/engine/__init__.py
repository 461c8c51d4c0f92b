"""Running and hooking into mmengine."""

from . import resuming, whole_file_backend
from .hooks import (
    CheckpointHook,
    MultiScaleSearchHook,
    ProgressHook,
    ValidateBeforeTrainingHook,
)

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
