#!/usr/bin/env python
"""Scores a pose estimator: `fpd test`, MMPose's options and `--multi-scale`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='test')
