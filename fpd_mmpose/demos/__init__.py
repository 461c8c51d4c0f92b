"""Demos on images, videos, and a web page."""

from fpd_mmpose.demos.box_sources import BoxSource, person_boxes
from fpd_mmpose.demos.frames import FrameReader
from fpd_mmpose.demos.image_demo import run_image_demo
from fpd_mmpose.demos.painter import SideBySide
from fpd_mmpose.demos.pose_network import PoseNetwork, load_teacher
from fpd_mmpose.demos.video_demo import run_video_demo
from fpd_mmpose.demos.window import Window

__all__ = [
    'BoxSource',
    'FrameReader',
    'PoseNetwork',
    'SideBySide',
    'Window',
    'load_teacher',
    'person_boxes',
    'run_image_demo',
    'run_video_demo',
]
