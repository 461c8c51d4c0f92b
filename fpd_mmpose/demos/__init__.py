"""Demos on images, videos, and a web page."""

from fpd_mmpose.demos.box_sources import BoxSource as BoxSource
from fpd_mmpose.demos.box_sources import person_boxes as person_boxes
from fpd_mmpose.demos.frames import FrameReader as FrameReader
from fpd_mmpose.demos.image_demo import run_image_demo as run_image_demo
from fpd_mmpose.demos.painter import SideBySide as SideBySide
from fpd_mmpose.demos.pose_network import PoseNetwork as PoseNetwork
from fpd_mmpose.demos.pose_network import load_teacher as load_teacher
from fpd_mmpose.demos.video_demo import run_video_demo as run_video_demo
from fpd_mmpose.demos.window import Window as Window
