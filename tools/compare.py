#!/usr/bin/env python
"""Builds the reference's result table from finished runs.

Prints it in Markdown, with the gain over the plain student and what training took.
"""

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
    parser.add_argument(
        '--run',
        action='append',
        nargs='+',
        required=True,
        metavar='WORD',
        help='NAME CONFIG CHECKPOINT LOG, or NAME=WORK_DIR; repeat for each run. LOG '
        'is vis_data/scalars.json, a work directory, or the metrics of test.py --out',
    )
    parser.add_argument(
        '--baseline',
        action='append',
        default=[],
        metavar='NAME',
        help='a plain student; repeat for several budgets: each gain is over the one '
        'with as many epochs',
    )
    parser.add_argument(
        '--teacher', metavar='NAME', help='a run to show without comparing its budget'
    )
    parser.add_argument(
        '--epochs',
        type=int,
        help='compare after so many epochs in all, with those of the weights that a '
        'run started from; by default, the checkpoints',
    )
    parser.add_argument(
        '--at',
        choices=('exact', 'last', 'best'),
        default='exact',
        help='with --epochs: the validation at that epoch, or the last or best one '
        'up to it',
    )
    parser.add_argument(
        '--seeds', action='store_true', help='average runs of the same name'
    )
    parser.add_argument(
        '--out',
        action='append',
        default=[],
        metavar='FILE',
        help='also write .md, .csv or .png (bars); repeat',
    )
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
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
