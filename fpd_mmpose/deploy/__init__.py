"""The student at work: exported networks, run without PyTorch."""

from .model_info import ModelInfo

__all__ = ['ModelInfo']
