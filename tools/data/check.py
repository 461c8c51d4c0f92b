#!/usr/bin/env python
"""Tells before a long run whether it would fail, and how its data look."""

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    # What packages warn of when they are imported is not about these data.
    warnings.simplefilter('ignore')
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Exit code 1 and "N problems" as the last line mean that the run would '
        'fail; warnings do not. docs/data.md says where the data belong.',
    )
    parser.add_argument('config', help='config of the run')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='settings to change, as for tools/train.py',
    )
    parser.add_argument(
        '--data-root', metavar='DIR', help='look for every dataset in this folder'
    )
    count = parser.add_mutually_exclusive_group()
    count.add_argument(
        '--images', type=int, default=200, help='images of each dataset to open (200)'
    )
    count.add_argument('--all', action='store_true', help='open every image')
    parser.add_argument('--json', metavar='FILE', help='also write the report here')
    parser.add_argument(
        '--pictures', metavar='DIR', help='draw joints and boxes of a few people'
    )
    args = parser.parse_args(argv)
    if args.images < 1:
        parser.error('--images must be 1 or more')

    # After the parsing: the package imports torch, and --help should not wait.
    from fpd_mmpose.datasets.check import check_config, set_data_root
    from fpd_mmpose.engine.one_line_errors import one_line_errors
    from fpd_mmpose.paths import load_config

    with one_line_errors():
        config = load_config(args.config)
        if args.data_root:
            set_data_root(config, args.data_root)
        config.merge_from_dict(args.cfg_options)
        report = check_config(
            config, None if args.all else args.images, pictures=args.pictures
        )
        if args.json:
            report.save(args.json)
    print(report)
    sys.exit(1 if report.problems else 0)


if __name__ == '__main__':
    main()
