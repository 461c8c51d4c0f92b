#!/usr/bin/env python
"""Detects the people in unlabeled images or videos, and writes their boxes.

After an interruption, the same command continues the run.
"""

import argparse
import shlex
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='folder of images, list (.txt), image, or video')
    parser.add_argument('out', help='output file (.json)')
    parser.add_argument(
        '--config',
        help='config file or model name (rtmdet-m) of a detector of MMDetection '
        '(default: the person detector of MMPose, an RTMDet-m)',
    )
    parser.add_argument(
        '--weights',
        help='file or URL of its weights (default: downloaded from OpenMMLab)',
    )
    parser.add_argument(
        '--device', help='cpu, cuda:0, ... (default: a GPU if there is one)'
    )
    parser.add_argument(
        '--batch-size', type=int, default=8, help='number of images per batch (8)'
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='keep boxes of a higher score (0.3)',
    )
    parser.add_argument(
        '--nms-thr',
        type=float,
        default=0.3,
        help='keep only the better of two boxes whose IoU is above this (0.3)',
    )
    parser.add_argument(
        '--min-size',
        type=float,
        default=0,
        metavar='PIXELS',
        help='minimum length of the shorter side of a box (0)',
    )
    parser.add_argument(
        '--max-people', type=int, help='maximum per image (default: any number)'
    )
    parser.add_argument(
        '--stride', type=int, default=1, help='use every n-th frame of videos (1)'
    )
    parser.add_argument(
        '--restart',
        action='store_true',
        help='discard an unfinished run',
    )
    args = parser.parse_args(argv)

    # Imported late: the package imports torch, and --help should not wait for it. The
    # warnings of these imports do not concern the user.
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
