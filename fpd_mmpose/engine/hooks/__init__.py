"""Hooks."""

from fpd_mmpose.engine.hooks.distill_visualization_hook import DistillVisualizationHook
from fpd_mmpose.engine.hooks.multi_scale_search_hook import MultiScaleSearchHook
from fpd_mmpose.engine.hooks.progress_hook import ProgressHook
from fpd_mmpose.engine.hooks.training_speed_hook import TrainingSpeedHook
from fpd_mmpose.engine.hooks.validate_before_training_hook import (
    ValidateBeforeTrainingHook,
)

__all__ = [
    'DistillVisualizationHook',
    'MultiScaleSearchHook',
    'ProgressHook',
    'TrainingSpeedHook',
    'ValidateBeforeTrainingHook',
]
