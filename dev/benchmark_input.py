#!/usr/bin/env python
"""Measures how many people per second a config's data pipeline delivers.

Times each stage of the training pipeline, also with MMPose's own transforms, and the
dataloader with several numbers of workers. If the config's data are missing, people are
drawn.
"""

import argparse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a training run')
    parser.add_argument(
        '--people', type=int, default=128, help='people per repeat (128)'
    )
    parser.add_argument('--repeats', type=int, default=5, help='timings of each (5)')
    parser.add_argument(
        '--workers',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='numbers of worker processes (0 1 2); 0 is the training process',
    )
    parser.add_argument(
        '--image-size',
        type=_size,
        metavar='WxH',
        help="draw people in images of this size, instead of reading the config's data",
    )
    parser.add_argument(
        '--step-seconds',
        type=float,
        help='duration of a training step of one batch, to compare with',
    )
    parser.add_argument('--json', metavar='FILE', help='also write all figures here')
    parser.add_argument('--png', metavar='FILE', help='also draw the stages as bars')
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    from benchmarks.input_report import as_markdown, save_chart
    from benchmarks.input_side import measure_input
    from fpd_mmpose.config import load_config
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.files import write_json

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
        if args.json:
            write_json(args.json, measured.as_dict(), indent=1)
        if args.png:
            save_chart(args.png, measured)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition('x')
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f'expected WIDTHxHEIGHT, got "{text}"')
    return int(width), int(height)


if __name__ == '__main__':
    main()
