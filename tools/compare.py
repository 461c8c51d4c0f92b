#!/usr/bin/env python
"""Tabulates finished runs: `fpd compare`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='compare')
