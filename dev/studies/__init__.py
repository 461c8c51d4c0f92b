"""Experiments whose results the documentation reports."""

import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
