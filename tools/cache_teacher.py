#!/usr/bin/env python
"""Stores the heatmaps of a teacher, so that students train without its network."""

import argparse
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


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
        epilog='Run it again to go on after a kill, and several times at once, also '
        'by torchrun, to share the work. Then train with model.teacher.cache=FILE.',
    )
    parser.add_argument('config', help='config for distillation')
    parser.add_argument(
        '--out', metavar='FILE', help='the file; model.teacher.cache by default'
    )
    parser.add_argument(
        '--zooms',
        type=float,
        nargs='+',
        default=[1.0, 1.25],
        metavar='FACTOR',
        help='show the teacher the padded box times each of these (1 1.25)',
    )
    parser.add_argument(
        '--flip', action='store_true', help="average with the mirrored picture's"
    )
    parser.add_argument('--device', help='cpu or cuda; a GPU by default, if there is')
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--workers', type=int, default=2, help='that read images')
    parser.add_argument('--limit', type=int, help='look at the first people only')
    parser.add_argument(
        '--compare',
        type=int,
        metavar='N',
        help='store nothing: compare with the network on N samples, drawn as in '
        'training',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='settings to change, as for tools/train.py',
    )
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
    import torch

    from fpd_mmpose.config import load_config
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.teachers.cache.command import compare_cache, write_cache

    device = args.device
    if device is None:
        rank = os.environ.get('LOCAL_RANK', '0')
        device = f'cuda:{rank}' if torch.cuda.is_available() else 'cpu'
    with one_line_errors():
        config = load_config(args.config)
        config.merge_from_dict(args.cfg_options)
        if args.compare:
            print(compare_cache(config, args.out, args.compare, device))
        else:
            print(
                write_cache(
                    config,
                    args.out,
                    device=device,
                    zooms=args.zooms,
                    flip=args.flip,
                    batch_size=args.batch_size,
                    workers=args.workers,
                    limit=args.limit,
                )
            )


if __name__ == '__main__':
    main()
