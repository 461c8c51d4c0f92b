"""The command ``fpd``.

Only the standard library is imported until a command line has been found valid, so that
help and usage errors answer at once.
"""

import argparse
import importlib
import inspect
import os
import select
import sys
import warnings
from collections.abc import Sequence

from fpd_mmpose.cli.shared_options import Run
from fpd_mmpose.errors import one_line_errors
from fpd_mmpose.version import __version__

#: Module of each command in this package, and what the command does.
COMMANDS = {
    'train': ('training', 'train a pose estimator from its config'),
    'test': ('training', 'score a checkpoint on the test data of its config'),
    'distill': ('training', 'train a student with the help of a teacher'),
    'cache': ('training', "store a teacher's heatmaps, to train without its network"),
    'check': ('data', 'check what a config needs, or list weight files'),
    'analyze': ('data', 'find labels that contradict the teacher'),
    'browse': ('data', 'draw training people with their targets and the teacher'),
    'detect': ('data', 'find the people in unlabeled images or videos'),
    'convert': ('networks', 'convert weights of other projects, or back'),
    'export': ('networks', 'write a trained network as an ONNX file'),
    'predict': ('networks', 'find the keypoints of people in an image'),
    'compare': ('results', 'tabulate finished runs'),
    'report': ('results', 'show runs as one page: results, curves, differences'),
    'study': ('results', 'train several ways with paired seeds, and compare them'),
    'quickstart': ('results', 'distill a student on drawn people, in minutes'),
}


def main(argv: Sequence[str] | None = None, command: str | None = None) -> None:
    """Runs a command line, by default the process's, with or without the command."""
    try:
        try:
            _main(list(sys.argv[1:] if argv is None else argv), command)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _stdout_is_broken():
            raise
        # Whoever reads, such as `head`, has enough. Python flushes again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def command_parser(command: str) -> tuple[argparse.ArgumentParser, Run]:
    """Returns the parser of a command, and what runs its parsed arguments."""
    module = importlib.import_module(f'fpd_mmpose.cli.{COMMANDS[command][0]}')
    add_arguments = getattr(module, command)
    parser = argparse.ArgumentParser(
        prog=f'fpd {command}',
        description=inspect.getdoc(add_arguments),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser, add_arguments(parser)


def _main(arguments: list[str], command: str | None) -> None:
    if command is None:
        command = _parser().parse_args(arguments[:1]).command
        arguments = arguments[1:]
    parser, run = command_parser(command)
    args = parser.parse_args(arguments)
    args.argv = arguments
    with one_line_errors(), warnings.catch_warnings():
        # OpenMMLab's packages warn about their own imports, which users cannot change.
        warnings.simplefilter('ignore')
        warnings.filterwarnings('default', message='fpd_mmpose ')
        run(args)


def _parser() -> argparse.ArgumentParser:
    listing = '\n'.join(f'  {name:<11} {what}' for name, (_, what) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog='fpd',
        usage='fpd COMMAND ...',
        description='Fast Pose Distillation for MMPose.',
        epilog=f'commands:\n{listing}\n\n"fpd COMMAND --help" explains a command.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument(
        'command', choices=COMMANDS, metavar='COMMAND', help=argparse.SUPPRESS
    )
    return parser


def _stdout_is_broken() -> bool:
    poll = select.poll()
    poll.register(sys.stdout, 0)  # for errors alone
    return bool(poll.poll(0))
