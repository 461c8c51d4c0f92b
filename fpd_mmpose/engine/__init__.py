"""Running and hooking into mmengine."""

from .hooks import ProgressHook

__all__ = ['ProgressHook']
