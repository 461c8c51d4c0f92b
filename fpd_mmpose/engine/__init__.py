"""Hooks."""

from fpd_mmpose.engine.hooks import (
    DistillVisualizationHook,
    MultiScaleSearchHook,
    ProgressHook,
    TrainingSpeedHook,
    ValidateBeforeTrainingHook,
)

__all__ = [
    'DistillVisualizationHook',
    'MultiScaleSearchHook',
    'ProgressHook',
    'TrainingSpeedHook',
    'ValidateBeforeTrainingHook',
]
