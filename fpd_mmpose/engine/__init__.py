"""Running and hooking into mmengine."""

from .hooks import MultiScaleSearchHook, ProgressHook, ValidateBeforeTrainingHook

__all__ = ['MultiScaleSearchHook', 'ProgressHook', 'ValidateBeforeTrainingHook']
