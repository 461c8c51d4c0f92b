"""The commands ``check``, ``analyze``, ``browse``, and ``detect``."""

import argparse
import shlex
from pathlib import Path

from fpd_mmpose.cli.shared_options import (
    Parser,
    Run,
    add_alias,
    add_batches,
    add_cfg_options,
    add_data_root,
    add_detector,
    add_device,
    add_thresholds,
    cfg_options,
    positive,
    require_config,
)


def check(parser: Parser) -> Run:
    """Checks the data, weights, and settings of a config before a long run.

    Given a folder, lists its weight files, the network of each, and the configs that
    can be tested or trained with them.
    """
    parser.epilog = (
        'Exit status 1, and "N problems" in the last line, mean that the run would '
        'fail, or that a weight file cannot be used; warnings do not count. Of the '
        'options, only --json is for folders.'
    )
    parser.add_argument('config', help='config of the run, or a folder of weight files')
    add_data_root(parser, several=True)
    count = parser.add_mutually_exclusive_group()
    count.add_argument(
        '--images',
        type=positive,
        default=200,
        help='number of images to open from each dataset (200)',
    )
    count.add_argument('--all', action='store_true', help='open every image')
    parser.add_argument('--json', metavar='FILE', help='also write the report here')
    parser.add_argument(
        '--pictures', metavar='DIR', help='draw keypoints and boxes of a few people'
    )
    add_cfg_options(parser)
    return _check


def _check(args: argparse.Namespace) -> None:
    if not Path(args.config).is_dir():
        require_config(args.config)
    from fpd_mmpose.checks import check, check_weights

    if Path(args.config).is_dir():
        report = check_weights(args.config)
    else:
        report = check(
            args.config,
            args.data_root,
            images=None if args.all else args.images,
            pictures=args.pictures,
            options=cfg_options(args),
        )
    if args.json:
        report.save(args.json)
    print(report)
    raise SystemExit(1 if report.problems else 0)


def analyze(parser: Parser) -> Run:
    """Finds labels that contradict the teacher: moved, swapped, or missing ones.

    Prints a table of the joints, and writes a page with pictures of the most suspicious
    people and a file with all joints of all people.
    """
    parser.add_argument('config', help='config of the distillation')
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='folder for analysis.html and people.csv (work_dirs/analyze/CONFIG)',
    )
    parser.add_argument(
        '--student',
        metavar='FILE',
        help='weights of the student, to say whether it agrees with teacher or labels',
    )
    add_data_root(parser)
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        default='train',
        help='people to look at (train)',
    )
    parser.add_argument(
        '--pictures',
        type=positive,
        default=50,
        metavar='N',
        help='people that the page shows (50)',
    )
    parser.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        metavar='SCORE',
        help="ignore the teacher's keypoints with a lower score (0.3)",
    )
    parser.add_argument(
        '--limit', type=positive, help='look at the first so many people only'
    )
    add_device(parser, 'the teacher')
    add_batches(parser, workers=2)
    add_cfg_options(parser)
    return _analyze


def _analyze(args: argparse.Namespace) -> None:
    require_config(args.config)
    from fpd_mmpose.analysis.label_analysis import analyze

    report = analyze(
        args.config,
        args.out,
        data=args.data_root,
        student=args.student,
        split=args.split,
        threshold=args.kpt_thr,
        pictures=args.pictures,
        limit=args.limit,
        device=args.device,
        batch_size=args.batch_size,
        workers=args.workers,
        options=cfg_options(args),
    )
    print(report)


def browse(parser: Parser) -> Run:
    """Draws people as a run sees them: augmented, with their targets and the teacher.

    The picture has the crop with its label, the encoded target, and, in a distillation,
    the teacher's heatmaps.
    """
    parser.add_argument('config', help='config of the run')
    parser.add_argument(
        '--out', metavar='DIR', help='folder of the picture (work_dirs/browse/CONFIG)'
    )
    parser.add_argument('--number', type=positive, default=16, help='people (16)')
    parser.add_argument(
        '--split',
        choices=('train', 'val'),
        default='train',
        help='whose pipeline: train, with its augmentation, or val (train)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='of the augmentation, 0 or more (0)'
    )
    add_data_root(parser, several=True)
    add_device(parser, 'the teacher')
    add_cfg_options(parser)
    return _browse


def _browse(args: argparse.Namespace) -> None:
    require_config(args.config)
    from fpd_mmpose.panels.browsing import browse_people

    path = browse_people(
        args.config,
        args.out,
        args.number,
        split=args.split,
        seed=args.seed,
        data=args.data_root,
        device=args.device,
        options=cfg_options(args),
    )
    print(path)


def detect(parser: Parser) -> Run:
    """Finds the people in unlabeled images or in a video."""
    parser.epilog = 'A run that was interrupted continues when the command is repeated.'
    parser.add_argument('input', help='folder of images, list (.txt), image, or video')
    parser.add_argument('out', help='file of boxes to write (.json)')
    add_detector(parser, default="MMPose's RTMDet-m for people")
    add_alias(parser, '--config', 'det_config')
    add_alias(parser, '--weights', 'det_checkpoint')
    add_device(parser, 'the detector')
    add_batches(parser)
    add_thresholds(parser, keypoints=False)
    add_alias(parser, '--score-thr', 'bbox_thr', type=float)
    parser.add_argument(
        '--nms-thr',
        type=float,
        default=0.3,
        metavar='IOU',
        help='of two boxes that overlap more, keep the better one (0.3)',
    )
    parser.add_argument(
        '--stride',
        type=positive,
        default=1,
        help='take every n-th frame of a video (1)',
    )
    parser.add_argument(
        '--restart', action='store_true', help='discard what an unfinished run found'
    )
    return _detect


def _detect(args: argparse.Namespace) -> None:
    from fpd_mmpose.detection import PersonDetector, Selection, detect_people

    detect_people(
        args.input,
        args.out,
        PersonDetector(args.det_config, args.det_checkpoint, args.device),
        Selection(args.bbox_thr, args.nms_thr),
        batch_size=args.batch_size,
        stride=args.stride,
        restart=args.restart,
        command=shlex.join(['fpd', 'detect', *args.argv]),
    )
