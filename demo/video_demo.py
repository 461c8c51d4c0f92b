#!/usr/bin/env python
"""Draws the keypoints of people in a video; needs no display without --show.

Ctrl-C ends the video of a webcam. A drawn video that ends before its input gets a name
with `.partial`.
"""

import argparse
from pathlib import Path

from demo_options import add_drawing_options, add_network_options, load_demo, parse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='video, or number of a webcam, such as 0')
    add_network_options(parser)
    parser.add_argument(
        '--out-file',
        metavar='FILE',
        help='drawn video: .mp4, .avi, .mkv, or .mov (default: work_dirs/demo/NAME.mp4 '
        'unless there is --show)',
    )
    add_drawing_options(parser)
    args = parse(parser, argv)

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.demos import FrameReader, Window, run_video_demo
    from fpd_mmpose.errors import one_line_errors

    with one_line_errors():
        window = Window('video demo') if args.show else None
        reader = FrameReader(args.input)
        if args.out_file is None and not args.show:
            name = Path(reader.name.replace(' ', '_')).stem
            args.out_file = f'work_dirs/demo/{name}.mp4'
        print(run_video_demo(reader, load_demo(args), args.out_file, window))


if __name__ == '__main__':
    main()
