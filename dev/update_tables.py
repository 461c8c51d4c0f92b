#!/usr/bin/env python
"""Updates the metafiles, model-index.yml, and the tables of the pages.

They are derived from the configs. Takes a minute or two, since it builds each network.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--check',
        action='store_true',
        help='write nothing; exit status 1 if a file is not up to date',
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
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
