#!/usr/bin/env python
"""Checks the data, weights, and settings of a config: `fpd check`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='check')
