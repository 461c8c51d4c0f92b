"""Hooks."""

from .multi_scale_search_hook import MultiScaleSearchHook
from .progress_hook import ProgressHook

__all__ = ['MultiScaleSearchHook', 'ProgressHook']
