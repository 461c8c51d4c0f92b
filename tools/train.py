#!/usr/bin/env python
"""Trains a pose estimator: `fpd train`, MMPose's options."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='train')
