"""Measures what stock MMPose does differently."""

import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
