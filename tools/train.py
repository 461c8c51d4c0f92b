#!/usr/bin/env python
"""Trains a pose estimator: MMPose's tools/train.py, with the same arguments."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fpd_mmpose.cli.stock_tools import run_stock_tool  # noqa: E402

if __name__ == '__main__':
    run_stock_tool('train', sys.argv[1:])
