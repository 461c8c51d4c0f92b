#!/usr/bin/env python
"""Converts weights of other projects, or back: `fpd convert`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='convert')
