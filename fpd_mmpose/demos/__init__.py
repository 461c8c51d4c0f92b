"""What the commands of the folder ``demo`` do."""

from .device import pick_device
from .frame_reader import FrameReader
from .images import run_image_demo
from .network import PoseNetwork
from .people import PersonBoxes, person_boxes
from .side_by_side import SideBySide
from .teacher import load_teacher
from .videos import run_video_demo
from .window import Window

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
