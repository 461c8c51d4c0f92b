"""Options that several commands share: one name and one meaning each."""

import argparse
from collections.abc import Callable
from typing import Any

from fpd_mmpose.errors import UserError

Parser = argparse.ArgumentParser
#: Runs a command. The functions that are named after commands, and whose docstrings are
#: the descriptions in the help, add arguments and return one.
Run = Callable[[argparse.Namespace], None]


def add_cfg_options(parser: Parser) -> None:
    """Adds ``--cfg-options``; :func:`cfg_options` reads it."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        type=_assignment,
        metavar='KEY=VALUE',
        help='change config fields, such as train_dataloader.batch_size=32',
    )


def cfg_options(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluates ``--cfg-options`` as MMPose's tools do."""
    # Imported here: it takes seconds, and --help should not wait.
    from mmengine.config import DictAction

    options = {}
    for key, value in args.cfg_options:
        try:
            options[key] = DictAction._parse_iterable(value)
        except (AssertionError, RecursionError, IndexError) as error:
            raise UserError(
                f'--cfg-options: {key}={value} cannot be read: give a number, a word, '
                'or a list of them with balanced brackets; a dict belongs in the config'
            ) from error
    return options


def add_data_root(parser: Parser, several: bool = False) -> None:
    """Adds ``--data-root``, of one dataset or of several."""
    what = (
        'look for every dataset in this folder' if several else 'folder of the dataset'
    )
    parser.add_argument('--data-root', metavar='DIR', help=what)


def add_device(parser: Parser, what: str = 'the network') -> None:
    """Adds ``--device``."""
    parser.add_argument(
        '--device',
        default='auto',
        help=f'where {what} runs: cpu, cuda:0, or auto, a GPU if there is one (auto)',
    )


def add_batches(
    parser: Parser, batch_size: int = 8, workers: int | None = None
) -> None:
    """Adds ``--batch-size`` and, where images are read in processes, ``--workers``."""
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=batch_size,
        help=f'images at a time ({batch_size})',
    )
    if workers is not None:
        parser.add_argument(
            '--workers',
            type=int,
            default=workers,
            help=f'processes that read images ({workers})',
        )


def add_detector(parser: Parser, default: str) -> None:
    """Adds ``--det-config`` and ``--det-checkpoint``."""
    parser.add_argument(
        '--det-config',
        metavar='CONFIG',
        help='config of an mmdet detector, or a model name such as rtmdet-m (default: '
        f'{default})',
    )
    parser.add_argument(
        '--det-checkpoint',
        metavar='FILE',
        help='its weights, a file or a URL (default: fetched from OpenMMLab)',
    )


def add_thresholds(parser: Parser, boxes: bool = True, keypoints: bool = True) -> None:
    """Adds ``--bbox-thr`` and ``--kpt-thr``."""
    if boxes:
        parser.add_argument(
            '--bbox-thr',
            type=float,
            default=0.3,
            metavar='SCORE',
            help='ignore detected people with a lower score (0.3)',
        )
    if keypoints:
        parser.add_argument(
            '--kpt-thr',
            type=float,
            default=0.3,
            metavar='SCORE',
            help='do not draw keypoints with a lower score (0.3)',
        )


def add_alias(parser: Parser, old: str, new: str, **settings: Any) -> None:
    """Keeps the earlier name of an option working, without showing it in the help."""
    parser.add_argument(
        old, dest=new, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **settings
    )


def require_config(name: str) -> None:
    """Raises an error for a missing config before anything slow is imported."""
    from fpd_mmpose.config import PREFIX, find_config

    if '::' not in name or name.startswith(PREFIX):
        find_config(name)


def positive(text: str) -> int:
    """Reads an option that must be a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'must be 1 or more, got {text}')
    return value


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError(f'expected KEY=VALUE, got "{text}"')
    return key, value
