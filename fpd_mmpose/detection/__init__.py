"""Finds people in unlabeled images and videos with a detector of MMDetection."""

from fpd_mmpose.detection.detector import PersonDetector
from fpd_mmpose.detection.people import detect_people
from fpd_mmpose.detection.selection import Selection

__all__ = ['PersonDetector', 'Selection', 'detect_people']
