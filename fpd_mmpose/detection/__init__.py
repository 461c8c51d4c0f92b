"""Finds people in unlabeled images and videos with a detector of MMDetection."""

from fpd_mmpose.detection.detection_run import detect_people
from fpd_mmpose.detection.detector import PersonDetector, Selection

__all__ = ['PersonDetector', 'Selection', 'detect_people']
