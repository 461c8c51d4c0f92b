#!/usr/bin/env python
"""Tests a pose estimator: MMPose's tools/test.py, with the same arguments.

`--multi-scale [SCALE ...]` is added: the test protocol of the FPD paper.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fpd_mmpose.cli.stock_tools import run_stock_tool  # noqa: E402

if __name__ == '__main__':
    run_stock_tool('test', sys.argv[1:])
