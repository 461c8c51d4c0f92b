#!/usr/bin/env python
"""Writes the metafiles, model-index.yml and the tables of the pages from the configs.

Takes a minute or two: every network is built and counted.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--check',
        action='store_true',
        help='write nothing; exit with 1 if a file is not up to date',
    )
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
    from fpd_mmpose.errors import one_line_errors
    from zoo import update_tables

    with one_line_errors():
        stale = update_tables(ROOT, args.check)
    for name in stale:
        print(f'{name} is not up to date' if args.check else f'{name} was updated')
    if args.check and stale:
        sys.exit(1)


if __name__ == '__main__':
    main()
