"""Finds people in unlabeled images and videos with a detector of MMDetection."""

from fpd_mmpose.detection.detection_run import detect_people as detect_people
from fpd_mmpose.detection.detector import PersonDetector as PersonDetector
from fpd_mmpose.detection.detector import Selection as Selection
