#!/usr/bin/env python
"""Reads damaged files with every reader.

A file from elsewhere must be read, or be refused by a `UserError` of one line that
names it. Other exceptions, crashes, hangs, more than 1 GB of memory, and NaN in what is
returned are failures; the smallest file of each kind of failure is kept. A case depends
on its target, the seed, and its number alone.
"""

import argparse
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--cases',
        type=int,
        default=1000,
        help='cases of the fastest targets; slow ones get fewer (1000)',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--target', action='append', help='name of a target; repeat for several (all)'
    )
    parser.add_argument(
        '--failures',
        type=Path,
        default=Path('work_dirs/fuzz'),
        help='folder for the files that fail (work_dirs/fuzz)',
    )
    parser.add_argument(
        '--processes', type=int, default=1, help='targets side by side (1)'
    )
    parser.add_argument('--list', action='store_true', help='list the targets')
    args = parser.parse_args(argv)

    # The valid files are those of the tests; other packages have `tests`, too.
    sys.path[:0] = [str(_ROOT), str(_ROOT / 'tools' / 'data')]
    # Imported after parsing, so that --help does not wait for torch.
    from fuzzing.report import run
    from fuzzing.targets import TARGETS

    if args.list:
        print(*TARGETS, sep='\n')
        return
    if unknown := set(args.target or ()) - TARGETS.keys():
        parser.error(f'unknown target "{min(unknown)}"; known: {", ".join(TARGETS)}')
    names = args.target or [*TARGETS]
    if not run(names, args.cases, args.seed, args.failures, args.processes):
        raise SystemExit(1)


if __name__ == '__main__':
    main()
