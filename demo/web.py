#!/usr/bin/env python
"""Serves a page that shows student and teacher side by side on uploaded pictures.

Needs Flask: pip install 'fpd-mmpose[web]'.
"""

import argparse
import sys
import warnings
from pathlib import Path

from demo_options import add_network_options, load_networks, load_people, parse

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    add_network_options(parser)
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to listen on (127.0.0.1: this machine alone)',
    )
    parser.add_argument('--port', type=int, default=8000, help='0 takes a free one')
    parser.add_argument(
        '--max-megabytes',
        type=float,
        default=16,
        metavar='MB',
        help='largest upload (16)',
    )
    args = parse(parser, argv)
    if args.max_megabytes <= 0:
        parser.error(f'--max-megabytes must be positive, got {args.max_megabytes:g}')

    # What packages warn of when they are imported is not about these data. After the
    # parsing: the package imports torch, and --help should not wait.
    warnings.simplefilter('ignore')
    from fpd_mmpose.errors import one_line_errors

    try:
        from fpd_mmpose.demos.web import create_app, serve
    except ModuleNotFoundError as error:
        if error.name != 'flask':
            raise
        raise SystemExit('error: Flask is missing: pip install flask') from error
    with one_line_errors():
        people = load_people(args)
        app = create_app(load_networks(args), people, args.kpt_thr, args.max_megabytes)
        serve(app, args.host, args.port)


if __name__ == '__main__':
    main()
