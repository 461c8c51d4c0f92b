#!/usr/bin/env python
"""Finds the people in unlabeled images or videos: `fpd detect`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='detect')
