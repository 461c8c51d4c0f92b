"""Runs exported networks with NumPy, OpenCV, and ONNX Runtime, without PyTorch."""

from fpd_mmpose.deploy.draw import draw_poses
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.pose_session import Poses, PoseSession

__all__ = ['ModelInfo', 'PoseSession', 'Poses', 'draw_poses']
