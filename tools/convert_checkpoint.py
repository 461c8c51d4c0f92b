#!/usr/bin/env python
"""Converts weights of the released FPD code, HRNet and SimpleBaseline, or back."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('src', help='weights: a file or a URL, of any known project')
    parser.add_argument('dst', help='the file to write; one that exists is replaced')
    parser.add_argument(
        '--reverse',
        action='store_true',
        help='write the names of the released code, or the official ones',
    )
    parser.add_argument(
        '--best',
        action='store_true',
        help="take the best weights so far of the released code's checkpoint.pth",
    )
    parser.add_argument(
        '--verify-input',
        action='store_true',
        help='run the network on a seeded input and show statistics of its output',
    )
    parser.add_argument(
        '--input-size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help='of that input (default: 256 192 for 17 joints, otherwise 256 256)',
    )
    args = parser.parse_args(argv)
    if args.input_size and not args.verify_input:
        parser.error('--input-size belongs to --verify-input')

    # After the parsing: the package imports torch, and --help should not wait.
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.weights.conversion import convert_checkpoint

    with one_line_errors():
        report = convert_checkpoint(
            args.src,
            args.dst,
            args.reverse,
            args.best,
            args.verify_input,
            args.input_size,
        )
    print('\n'.join(report))


if __name__ == '__main__':
    main()
