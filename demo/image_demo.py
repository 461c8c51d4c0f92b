#!/usr/bin/env python
"""Draws the keypoints of people in images; needs no display without --show."""

import argparse

from demo_options import add_drawing_options, add_network_options, load_demo, parse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='image, folder, or list of images (.txt)')
    add_network_options(parser)
    parser.add_argument(
        '--out-dir',
        help='folder for drawn images, under the names of the inputs (default: '
        'work_dirs/demo unless there is another output)',
    )
    parser.add_argument(
        '--out-file', metavar='FILE', help='drawn image of a single input'
    )
    parser.add_argument(
        '--json', metavar='FILE', help='save boxes, keypoints, and scores here'
    )
    add_drawing_options(parser)
    args = parse(parser, argv)
    if not (args.out_file or args.json or args.show):
        args.out_dir = args.out_dir or 'work_dirs/demo'

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.demos import Window, run_image_demo
    from fpd_mmpose.errors import one_line_errors

    with one_line_errors():
        window = Window('image demo') if args.show else None
        found = run_image_demo(
            args.input, load_demo(args), args.out_dir, args.out_file, args.json, window
        )
        places = ' and '.join(filter(None, [args.out_file or args.out_dir, args.json]))
        count = len(found['images'])
        images = '1 image' if count == 1 else f'{count} images'
        print(images + (f': {places}' if places else ''))


if __name__ == '__main__':
    main()
