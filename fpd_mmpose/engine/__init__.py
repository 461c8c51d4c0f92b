"""Running and hooking into mmengine."""

from .hooks import MultiScaleSearchHook, ProgressHook

__all__ = ['MultiScaleSearchHook', 'ProgressHook']
