"""Options that the demos share. Imports nothing slow, so that --help is fast."""

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fpd_mmpose.cli.shared_options import (  # noqa: E402
    add_detector,
    add_device,
    add_thresholds,
)


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the networks and the detector."""
    parser.add_argument('config', help='config of the network or its distillation')
    parser.add_argument(
        'checkpoint', help='its weights: trained, converted, or of the released code'
    )
    parser.add_argument(
        '--teacher',
        nargs='*',
        metavar='FILE',
        help='also draw the teacher, given by its config and checkpoint, or without '
        'values the one that the config of the distillation names (put it last)',
    )
    add_detector(parser, default='the whole image is the box of a person')
    add_thresholds(parser)
    add_device(parser, 'everything')


def add_drawing_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of drawn images and videos."""
    parser.add_argument(
        '--draw-heatmap', action='store_true', help='draw heatmaps below the people'
    )
    parser.add_argument('--show', action='store_true', help='show them in a window')


def parse(
    parser: argparse.ArgumentParser, argv: list[str] | None
) -> argparse.Namespace:
    """Parses and checks the options, and silences warnings from imports of packages."""
    args = parser.parse_args(argv)
    if args.teacher is not None and len(args.teacher) not in (0, 2):
        parser.error(
            '--teacher takes CONFIG CHECKPOINT or nothing: put it after INPUT, CONFIG, '
            'and CHECKPOINT of the student'
        )
    if args.det_checkpoint is not None and args.det_config is None:
        parser.error('--det-checkpoint needs --det-config')
    if not 0 <= args.bbox_thr < 1:
        parser.error(f'--bbox-thr must be at least 0 and below 1, got {args.bbox_thr}')
    warnings.simplefilter('ignore')
    return args


def load_networks(args: argparse.Namespace) -> list[Any]:
    """Loads the student, and then the teacher if there is one."""
    from fpd_mmpose.demos import PoseNetwork, load_teacher

    networks = [PoseNetwork(args.config, args.checkpoint, args.device)]
    if args.teacher is not None:
        networks.append(load_teacher(args.config, args.teacher, args.device))
    return networks


def load_people(args: argparse.Namespace) -> Any:
    """Sets up the detector if there is one."""
    from fpd_mmpose.demos import person_boxes

    return person_boxes(
        args.det_config, args.det_checkpoint, args.device, args.bbox_thr
    )


def load_demo(args: argparse.Namespace) -> Any:
    """Loads everything that draws images."""
    from fpd_mmpose.demos import SideBySide

    return SideBySide(
        load_networks(args), load_people(args), args.kpt_thr, args.draw_heatmap
    )
