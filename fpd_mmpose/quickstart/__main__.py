"""Runs the quick start: `fpd quickstart`."""

from fpd_mmpose.cli import main

if __name__ == '__main__':
    main(command='quickstart')
