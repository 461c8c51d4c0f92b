"""Hooks."""

from fpd_mmpose.engine.hooks import (
    MultiScaleSearchHook,
    ProgressHook,
    ValidateBeforeTrainingHook,
)

__all__ = ['MultiScaleSearchHook', 'ProgressHook', 'ValidateBeforeTrainingHook']
