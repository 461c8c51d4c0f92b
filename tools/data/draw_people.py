#!/usr/bin/env python
"""Draws people and writes them as a dataset in MMPose's MPII layout."""

import argparse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='folder of the dataset')
    parser.add_argument(
        '--train', type=int, default=1200, help='number of people for training (1200)'
    )
    parser.add_argument(
        '--val', type=int, default=200, help='number of people for validation (200)'
    )
    parser.add_argument('--seed', type=int, default=0, help='draw other people (0)')
    parser.add_argument(
        '--size', type=int, default=200, help='side of an image in pixels (200)'
    )
    args = parser.parse_args(argv)

    # Imported late: it imports OpenCV and SciPy, and --help should not wait for them.
    from fpd_mmpose.errors import UserError
    from fpd_mmpose.synthetic import write_dataset

    try:
        write_dataset(args.out, args.train, args.val, args.seed, args.size)
    except (OSError, UserError) as error:
        parser.error(str(error))


if __name__ == '__main__':
    main()
