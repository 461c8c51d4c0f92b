"""Finds the people of unlabelled images and videos with a detector of mmdet."""

from .detector import PersonDetector
from .people import detect_people
from .selection import Selection

__all__ = ['PersonDetector', 'Selection', 'detect_people']
