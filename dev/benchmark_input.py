#!/usr/bin/env python
"""Measures how many people per second a config's data pipeline delivers.

Each stage of the training pipeline is timed, beside MMPose's own transforms, and the
data loader with several numbers of workers. People are drawn where the config's data
are not there.
"""

import argparse


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='of a training run')
    parser.add_argument('--people', type=int, default=128, help='in each repeat')
    parser.add_argument('--repeats', type=int, default=5, help='of each figure')
    parser.add_argument(
        '--workers',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='numbers of worker processes; 0: in the training process',
    )
    parser.add_argument(
        '--image-size',
        type=_size,
        metavar='WxH',
        help='draw people in pictures of this size, even where the data are there; '
        '1280x720 by default where they are not',
    )
    parser.add_argument(
        '--step-seconds',
        type=float,
        help='what a training step of one batch takes, to compare with',
    )
    parser.add_argument('--out', metavar='JSON', help='also write all figures')
    parser.add_argument('--png', help='also draw the stages')
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
    from benchmarks.input_report import as_markdown, save_chart, write_json
    from benchmarks.input_side import measure_input
    from fpd_mmpose.config import load_config
    from fpd_mmpose.errors import one_line_errors

    with one_line_errors():
        measured = measure_input(
            load_config(args.config),
            args.people,
            args.repeats,
            args.workers,
            args.image_size,
            args.step_seconds,
        )
        print(as_markdown(measured))
        if args.out:
            write_json(args.out, measured)
        if args.png:
            save_chart(args.png, measured)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition('x')
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f'expected WIDTHxHEIGHT, got "{text}"')
    return int(width), int(height)


if __name__ == '__main__':
    main()
