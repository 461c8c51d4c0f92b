#!/usr/bin/env python
"""Draws the keypoints of people in images, without a display unless --show is given."""

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
    parser.add_argument('input', help='image, folder, or list of images (.txt)')
    add_network_options(parser)
    parser.add_argument(
        '--out-dir',
        help='where pictures go, under the names of the images (work_dirs/demo, unless '
        'another output is named)',
    )
    parser.add_argument(
        '--out-file', metavar='FILE', help='where the picture of a single image goes'
    )
    parser.add_argument(
        '--json', metavar='FILE', help='write boxes, keypoints and scores'
    )
    parser.add_argument(
        '--draw-heatmap', action='store_true', help='draw heatmaps below the people'
    )
    parser.add_argument('--show', action='store_true', help='show each in a window')
    args = parse(parser, argv)
    if not (args.out_file or args.json or args.show):
        args.out_dir = args.out_dir or 'work_dirs/demo'

    # What packages warn of when they are imported is not about these data. After the
    # parsing: the package imports torch, and --help should not wait.
    warnings.simplefilter('ignore')
    from fpd_mmpose.demos import SideBySide, Window, run_image_demo
    from fpd_mmpose.errors import one_line_errors

    with one_line_errors():
        window = Window('image demo') if args.show else None
        demo = SideBySide(
            load_networks(args), load_people(args), args.kpt_thr, args.draw_heatmap
        )
        found = run_image_demo(
            args.input, demo, args.out_dir, args.out_file, args.json, window
        )
        written = [args.out_file or args.out_dir, args.json]
        places = ' and '.join(filter(None, written))
        count = len(found['images'])
        images = '1 image' if count == 1 else f'{count} images'
        print(images + (f': {places}' if places else ''))


if __name__ == '__main__':
    main()
