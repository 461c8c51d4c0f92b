#!/usr/bin/env python
"""Draws the keypoints of people in a video, without a display unless --show is given.

Ctrl-C ends it: what was drawn of a webcam is kept, and what was drawn of a file under a
name with `.partial`.
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
    parser.add_argument('input', help='video, or number of a webcam, such as 0')
    add_network_options(parser)
    parser.add_argument(
        '--out-file',
        metavar='FILE',
        help='.mp4, .avi, .mkv or .mov (work_dirs/demo/NAME.mp4, unless --show is '
        'given)',
    )
    parser.add_argument(
        '--draw-heatmap', action='store_true', help='draw heatmaps below the people'
    )
    parser.add_argument('--show', action='store_true', help='show it in a window')
    args = parse(parser, argv)

    # What packages warn of when they are imported is not about these data. After the
    # parsing: the package imports torch, and --help should not wait.
    warnings.simplefilter('ignore')
    from fpd_mmpose.demos import FrameReader, SideBySide, Window, run_video_demo
    from fpd_mmpose.errors import one_line_errors

    with one_line_errors():
        window = Window('video demo') if args.show else None
        reader = FrameReader(args.input)
        if args.out_file is None and not args.show:
            name = Path(reader.name.replace(' ', '_')).stem
            args.out_file = f'work_dirs/demo/{name}.mp4'
        demo = SideBySide(
            load_networks(args), load_people(args), args.kpt_thr, args.draw_heatmap
        )
        print(run_video_demo(reader, demo, args.out_file, window))


if __name__ == '__main__':
    main()
