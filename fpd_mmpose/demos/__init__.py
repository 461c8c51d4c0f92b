"""Demos on images, videos, and a web page."""

from fpd_mmpose.demos.box_sources import PersonBoxes, person_boxes
from fpd_mmpose.demos.device import pick_device
from fpd_mmpose.demos.frame_reader import FrameReader
from fpd_mmpose.demos.image_demo import run_image_demo
from fpd_mmpose.demos.pose_network import PoseNetwork
from fpd_mmpose.demos.side_by_side import SideBySide
from fpd_mmpose.demos.teacher import load_teacher
from fpd_mmpose.demos.video_demo import run_video_demo
from fpd_mmpose.demos.window import Window

__all__ = [
    'FrameReader',
    'PersonBoxes',
    'PoseNetwork',
    'SideBySide',
    'Window',
    'load_teacher',
    'person_boxes',
    'pick_device',
    'run_image_demo',
    'run_video_demo',
]
