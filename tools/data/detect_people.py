#!/usr/bin/env python
"""Writes the boxes of people in unlabelled images or a video.

A run that was killed goes on where it was when the same command is given again.
"""

import argparse
import shlex
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='folder of images, list (.txt), image or video')
    parser.add_argument('out', help='file of boxes to write (.json)')
    parser.add_argument(
        '--config',
        help='config file of an mmdet detector, or a model name such as rtmdet-m '
        '(default: the detector of MMPose, an RTMDet-m for people)',
    )
    parser.add_argument(
        '--weights', help='file or URL (default: fetched from OpenMMLab)'
    )
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is one)'
    )
    parser.add_argument(
        '--batch-size', type=int, default=8, help='images at a time (8)'
    )
    parser.add_argument(
        '--score-thr', type=float, default=0.3, help='scores must be above it (0.3)'
    )
    parser.add_argument(
        '--nms-thr',
        type=float,
        default=0.3,
        help='of two boxes that overlap more (IoU), the better is kept (0.3)',
    )
    parser.add_argument(
        '--min-size',
        type=float,
        default=0,
        metavar='PIXELS',
        help='least shorter side of a box (0)',
    )
    parser.add_argument(
        '--max-people', type=int, help='most people of an image (default: any number)'
    )
    parser.add_argument(
        '--stride', type=int, default=1, help='take every n-th frame of a video (1)'
    )
    parser.add_argument(
        '--restart', action='store_true', help='discard what an unfinished run found'
    )
    args = parser.parse_args(argv)

    # What packages warn of when they are imported is not about these data. After the
    # parsing: the package imports torch, and --help should not wait.
    warnings.simplefilter('ignore')
    from fpd_mmpose.detection import PersonDetector, Selection, detect_people
    from fpd_mmpose.engine.one_line_errors import one_line_errors

    with one_line_errors():
        detect_people(
            args.input,
            args.out,
            PersonDetector(args.config, args.weights, args.device),
            Selection(args.score_thr, args.nms_thr, args.min_size, args.max_people),
            batch_size=args.batch_size,
            stride=args.stride,
            restart=args.restart,
            command=shlex.join([Path(__file__).name, *argv]),
        )


if __name__ == '__main__':
    main()
