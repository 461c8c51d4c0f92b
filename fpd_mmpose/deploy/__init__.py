"""Runs exported networks with NumPy, OpenCV, and ONNX Runtime, without PyTorch."""

from fpd_mmpose.deploy.draw import draw_poses as draw_poses
from fpd_mmpose.deploy.model_info import ModelInfo as ModelInfo
from fpd_mmpose.deploy.pose_session import Poses as Poses
from fpd_mmpose.deploy.pose_session import PoseSession as PoseSession
