"""Measures what stock MMPose does differently."""
