"""The student at work: exported networks, run without PyTorch."""

from .model_info import ModelInfo
from .pose_session import Poses, PoseSession

__all__ = ['ModelInfo', 'PoseSession', 'Poses']
