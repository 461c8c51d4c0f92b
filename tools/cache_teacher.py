#!/usr/bin/env python
"""Stores a teacher's heatmaps: `fpd cache`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='cache')
