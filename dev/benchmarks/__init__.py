"""What the scripts benchmark_*.py run."""

import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
