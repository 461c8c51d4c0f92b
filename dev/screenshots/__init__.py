"""Screenshots of the web demo for the docs."""

import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
