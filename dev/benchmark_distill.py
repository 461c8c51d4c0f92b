#!/usr/bin/env python
"""Times a training step of distillation, plain training, and the reference's way.

All variants are timed in turn in one process, with random weights and people.
"""

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a distillation')
    parser.add_argument('--batch-size', type=int, default=4, help='people per step (4)')
    parser.add_argument(
        '--repeats', type=int, default=7, help='timings of each variant (7)'
    )
    parser.add_argument('--threads', type=int, help='CPU threads of PyTorch')
    parser.add_argument('--device', help='cpu or cuda (default: a GPU if there is one)')
    parser.add_argument(
        '--precision',
        choices=('fp32', 'bf16'),
        default='fp32',
        help="of the student's training (fp32)",
    )
    parser.add_argument(
        '--compile',
        nargs='?',
        choices=('teacher', 'all'),
        const='all',
        help='also time the compiled teacher, or both networks compiled (all), which '
        'takes minutes to prepare',
    )
    parser.add_argument('--json', metavar='FILE', help='also write all times here')
    parser.add_argument('--png', metavar='FILE', help='also draw the times as bars')
    args = parser.parse_args(argv)
    for option in ('batch-size', 'repeats', 'threads'):
        value = getattr(args, option.replace('-', '_'))
        if value is not None and value < 1:
            parser.error(f'--{option} must be positive, got {value}')

    # Imported after parsing, so that --help does not wait for torch.
    import torch

    from benchmarks import distill_report as report
    from benchmarks.distill import Settings, benchmark_distill
    from fpd_mmpose.config import load_config
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.files import write_json

    if args.threads:
        torch.set_num_threads(args.threads)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    settings = Settings(
        args.batch_size, device, args.precision, args.repeats, args.compile
    )
    with one_line_errors():
        timed = benchmark_distill(
            load_config(args.config),
            settings,
            lambda line: print(line, file=sys.stderr, flush=True),
        )
        print(report.as_markdown(timed))
        print(report.summary(timed))
        if args.json:
            content = report.as_json(timed, args.config, settings)
            write_json(args.json, content, indent=1)
        if args.png:
            title = f'{Path(args.config).stem}, batch {args.batch_size}, {device}, '
            title += args.precision
            report.save_png(args.png, timed, title)


if __name__ == '__main__':
    main()
