#!/usr/bin/env python
"""Writes a trained network as an ONNX file: `fpd export`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='export')
