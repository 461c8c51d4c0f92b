"""Options that the demos have in common. Imports nothing that is slow to import."""

import argparse
from typing import Any


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Adds the networks and the detector.

    Args:
        parser: Of a demo's command line.
    """
    parser.add_argument('config', help='config of the network, or of its distillation')
    parser.add_argument(
        'checkpoint', help='its weights: trained, converted or of the released code'
    )
    parser.add_argument(
        '--teacher',
        nargs='*',
        metavar='FILE',
        help='draw the teacher beside the student: its config and checkpoint, or '
        'nothing for that which the config of the distillation names (put it last)',
    )
    parser.add_argument(
        '--det-config',
        metavar='CONFIG',
        help='find people with this detector of mmdet, a config file or a model name '
        'such as rtmdet-m; without it, the whole image is the box of one person',
    )
    parser.add_argument(
        '--det-checkpoint',
        metavar='FILE',
        help='its weights, file or URL; by default those of the model name',
    )
    parser.add_argument(
        '--bbox-thr',
        type=float,
        default=0.3,
        metavar='SCORE',
        help='scores of boxes must be above it (0.3)',
    )
    parser.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        metavar='SCORE',
        help='joints with lower scores are not drawn (0.3)',
    )
    parser.add_argument(
        '--device', default='auto', help='cpu, cuda:0, or auto: a GPU if there is one'
    )


def parse(
    parser: argparse.ArgumentParser, argv: list[str] | None
) -> argparse.Namespace:
    """Reads the command line.

    Args:
        parser: With :func:`add_network_options`.
        argv: Arguments; those of the process if ``None``.
    """
    args = parser.parse_args(argv)
    if args.teacher is not None and len(args.teacher) not in (0, 2):
        parser.error(
            '--teacher takes CONFIG CHECKPOINT, or nothing: put it after INPUT, CONFIG '
            'and CHECKPOINT of the student'
        )
    return args


def load_networks(args: argparse.Namespace) -> list[Any]:
    """Loads the student, and the teacher where it is asked for.

    Args:
        args: As :func:`parse` gives them.

    Returns:
        Of :class:`fpd_mmpose.demos.PoseNetwork`, the student first.

    Raises:
        ValueError: If one of them cannot be used. One line.
    """
    from fpd_mmpose.demos import PoseNetwork, load_teacher

    networks = [PoseNetwork(args.config, args.checkpoint, args.device)]
    if args.teacher is not None:
        networks.append(load_teacher(args.config, args.teacher, args.device))
    return networks


def load_people(args: argparse.Namespace) -> Any:
    """Makes the detector, where it is asked for.

    Args:
        args: As :func:`parse` gives them.

    Returns:
        A :class:`fpd_mmpose.demos.PersonBoxes`.

    Raises:
        ValueError: If something is missing or does not fit. One line.
    """
    from fpd_mmpose.demos import person_boxes, pick_device

    return person_boxes(
        args.det_config, args.det_checkpoint, pick_device(args.device), args.bbox_thr
    )
