#!/usr/bin/env python
"""Hides the labels of most training people of a dataset, for a study."""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', type=Path, help="data in MPII's layout")
    parser.add_argument(
        '--labels', type=int, nargs='+', required=True, help='people who keep labels'
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.studies.people_split import split_people

    with one_line_errors():
        for labels in args.labels:
            # Of several numbers, each has its own files.
            name = f'{labels}_' if len(args.labels) > 1 else ''
            for seed in args.seeds:
                for path in split_people(args.root, labels, seed, name=name):
                    print(path)


if __name__ == '__main__':
    main()
