"""Options that the studies share. Imports nothing slow, so that --help is fast."""

import argparse
from pathlib import Path


def add_study_options(parser: argparse.ArgumentParser, steps_of: str) -> None:
    """Adds the data, the runs, and how long and on how many threads they train."""
    parser.add_argument('root', type=Path, help="data in MPII's layout")
    parser.add_argument('out', type=Path, help='folder of the runs; repeat to continue')
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[0, 1], help='seeds (0 1)'
    )
    parser.add_argument(
        '--steps', type=int, default=3000, help=f'steps of each {steps_of} (3000)'
    )
    parser.add_argument('--threads', type=int, default=1, help='CPU threads (1)')
