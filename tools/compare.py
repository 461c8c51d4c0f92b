#!/usr/bin/env python
"""Prints the reference's result table for finished runs, in Markdown.

It adds the gain over a plain student, and the training that each run took.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--run',
        action='append',
        nargs='+',
        required=True,
        metavar='WORD',
        help='NAME=WORK_DIR, or NAME CONFIG CHECKPOINT LOG; repeat for each run. LOG '
        'is vis_data/scalars.json, a work directory, or the metrics of test.py --out',
    )
    parser.add_argument(
        '--baseline',
        action='append',
        default=[],
        metavar='NAME',
        help='name of a plain student; repeat for several budgets: each gain is over '
        'the one with the closest total of epochs',
    )
    parser.add_argument(
        '--teacher', metavar='NAME', help='name of a run to show but not to compare'
    )
    parser.add_argument(
        '--epochs',
        type=int,
        help='compare the runs after this total number of epochs, including those of '
        'the weights they started from (default: compare their checkpoints)',
    )
    parser.add_argument(
        '--at',
        choices=('exact', 'last', 'best'),
        default='exact',
        help='with --epochs: use the validation at that epoch (exact), or the last or '
        'best one up to it (default: exact)',
    )
    parser.add_argument(
        '--seeds', action='store_true', help='average runs that have the same name'
    )
    parser.add_argument(
        '--out',
        action='append',
        default=[],
        metavar='FILE',
        help='also write the table to a .md, .csv, or .png (bar chart) file; may be '
        'repeated',
    )
    args = parser.parse_args(argv)
    if args.at != 'exact' and args.epochs is None:
        parser.error(f'--at {args.at} needs --epochs')

    # Imported late: the package imports torch, and --help should not wait for it.
    from fpd_mmpose.engine.one_line_errors import one_line_errors
    from fpd_mmpose.reports import check_outputs, compare, write_outputs

    with one_line_errors():
        check_outputs(args.out)
        table = compare(
            args.run, args.baseline, args.teacher, args.epochs, args.at, args.seeds
        )
        print(table.markdown())
        write_outputs(args.out, table)


if __name__ == '__main__':
    main()
