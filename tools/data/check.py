#!/usr/bin/env python
"""Checks a config's data, weights, and settings before a long run."""

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    # Warnings that packages raise on import are not about the data.
    warnings.simplefilter('ignore')
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The exit code is 1, and the last line says "N problems", if the run '
        'would fail. Warnings do not stop it. docs/data.md says where to put the data.',
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
        '--data-root', metavar='DIR', help='folder to read all datasets from'
    )
    count = parser.add_mutually_exclusive_group()
    count.add_argument(
        '--images', type=int, default=200, help='images to open per dataset (200)'
    )
    count.add_argument('--all', action='store_true', help='open every image')
    parser.add_argument('--json', metavar='FILE', help='also save the report here')
    parser.add_argument(
        '--pictures',
        metavar='DIR',
        help='draw joints and boxes of a few people here',
    )
    args = parser.parse_args(argv)
    if args.images < 1:
        parser.error('--images must be 1 or more')

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.checks import check_config, set_data_root
    from fpd_mmpose.config import load_config
    from fpd_mmpose.errors import one_line_errors

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
