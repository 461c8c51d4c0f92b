"""The student at work: exported networks, run without PyTorch."""

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.pose_session import Poses, PoseSession

__all__ = ['ModelInfo', 'PoseSession', 'Poses']
