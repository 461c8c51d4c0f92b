#!/usr/bin/env python
"""Serves a page that shows student and teacher side by side on uploaded images.

Needs Flask: pip install 'fpd-mmpose[web]'.
"""

import argparse

from demo_options import add_network_options, load_networks, load_people, parse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_network_options(parser)
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to listen on (127.0.0.1: only this machine)',
    )
    parser.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help='a name or address in the URL of the page, beside that of --host; repeat '
        'for several (the names of this machine: localhost, 127.0.0.1, and [::1])',
    )
    parser.add_argument(
        '--port', type=int, default=8000, help='port, or 0 for any free one (8000)'
    )
    parser.add_argument(
        '--max-megabytes',
        type=float,
        default=16,
        metavar='MB',
        help='largest upload (16)',
    )
    args = parse(parser, argv)
    if not 0 < args.max_megabytes <= 1024:
        parser.error(
            f'--max-megabytes must be positive and at most 1024, got '
            f'{args.max_megabytes:g}'
        )

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.errors import one_line_errors

    try:
        from fpd_mmpose.demos.web import create_app, serve
    except ModuleNotFoundError as error:
        if error.name != 'flask':
            raise
        raise SystemExit('error: Flask is missing: run `pip install flask`') from error
    with one_line_errors():
        people = load_people(args)
        app = create_app(load_networks(args), people, args.kpt_thr, args.max_megabytes)
        serve(app, args.host, args.port, args.allow_host)


if __name__ == '__main__':
    main()
