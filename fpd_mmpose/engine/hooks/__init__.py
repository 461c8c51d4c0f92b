"""Hooks."""

from .checkpoint_hook import CheckpointHook
from .multi_scale_search_hook import MultiScaleSearchHook
from .progress_hook import ProgressHook
from .validate_before_training_hook import ValidateBeforeTrainingHook

__all__ = [
    'CheckpointHook',
    'MultiScaleSearchHook',
    'ProgressHook',
    'ValidateBeforeTrainingHook',
]
