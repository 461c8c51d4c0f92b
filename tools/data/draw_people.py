#!/usr/bin/env python
"""Draws people and writes them as a data set in MMPose's MPII layout."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='folder of the data set')
    parser.add_argument('--train', type=int, default=1200, help='people for training')
    parser.add_argument('--val', type=int, default=200, help='people for validation')
    parser.add_argument('--seed', type=int, default=0, help='other people')
    parser.add_argument(
        '--size', type=int, default=200, help='side of a picture in pixels'
    )
    parser.add_argument('--workers', type=int, default=1, help='drawing processes')
    parser.add_argument('--preview', help='also write this contact sheet (.png)')
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
    from fpd_mmpose.synthetic import write_dataset
    from fpd_mmpose.synthetic.preview import write_preview

    try:
        write_dataset(
            args.out, args.train, args.val, args.seed, args.size, args.workers
        )
        if args.preview:
            write_preview(args.out, args.preview)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == '__main__':
    main()
