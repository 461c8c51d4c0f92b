"""Finds keypoints in an image with an exported network: ``fpd predict``."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='predict')
