#!/usr/bin/env python
"""Times inference of a student, its teacher, and small networks of MMPose on the CPU.

The networks alone, and the student's pipelines from a JPEG file and boxes to keypoints,
are timed in turn in one process. Weights are random unless a checkpoint is given.
"""

import argparse
import sys


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    network = dict(nargs='+', metavar=('CONFIG', 'CHECKPOINT'))
    parser.add_argument(
        '--student',
        default=['configs/hourglass/hg4_128_mpii.py'],
        help='config and, optionally, weights (hg4_128_mpii)',
        **network,
    )
    parser.add_argument(
        '--teacher',
        nargs='*',
        metavar=('CONFIG', 'CHECKPOINT'),
        default=['configs/hourglass/hg8_256_mpii.py'],
        help='config and, optionally, weights (hg8_256_mpii); without a value, none',
    )
    parser.add_argument(
        '--peers',
        nargs='*',
        default=['mobilenetv2', 'litehrnet-30', 'rtmpose-s', 'rtmpose-t'],
        help='networks of MMPose, with random weights (all); without a value, none',
    )
    parser.add_argument(
        '--engines',
        nargs='+',
        default=['eager', 'compiled', 'onnxruntime', 'int8', 'openvino'],
        help='what runs the networks (all)',
    )
    parser.add_argument(
        '--compile-all',
        action='store_true',
        help='compile each network for each batch size, which takes minutes each; by '
        'default, only the student for the smallest',
    )
    parser.add_argument(
        '--batch-size',
        type=int,
        nargs='+',
        default=[1, 16],
        help='people at a time (1 16)',
    )
    parser.add_argument(
        '--threads', type=int, nargs='+', default=[1, 2], help='CPU threads (1 2)'
    )
    parser.add_argument(
        '--rounds', type=int, default=3, help='timings of each variant (3)'
    )
    parser.add_argument(
        '--memory',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='also measure memory, in a process for each network and engine',
    )
    parser.add_argument('--json', metavar='FILE', help='also write all times here')
    parser.add_argument('--png', metavar='FILE', help='also draw the times as bars')
    args = parser.parse_args(argv)
    for option in ('engines', 'batch_size', 'threads'):
        setattr(args, option, list(dict.fromkeys(getattr(args, option))))
    for option in ('batch-size', 'threads', 'rounds'):
        value = getattr(args, option.replace('-', '_'))
        if (least := min(value) if isinstance(value, list) else value) < 1:
            parser.error(f'--{option} must be positive, got {least}')
    for option in ('student', 'teacher'):
        if len(getattr(args, option)) > 2:
            parser.error(f'--{option} takes a config and at most one checkpoint')

    # Imported after parsing, so that --help does not wait for torch.
    from benchmarks import inference_report as report
    from benchmarks.inference import measure_inference
    from benchmarks.inference_chart import save_chart
    from benchmarks.inference_costs import Settings
    from benchmarks.inference_networks import build_networks
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.files import write_json

    with one_line_errors():
        costs = measure_inference(
            build_networks(args.student, args.teacher, args.peers),
            Settings(
                args.engines,
                args.batch_size,
                args.threads,
                args.rounds,
                args.compile_all,
                args.memory,
            ),
            lambda line: print(line, file=sys.stderr, flush=True),
        )
        print(report.as_markdown(costs))
        if args.json:
            write_json(args.json, report.as_json(costs), indent=1)
        if args.png:
            save_chart(args.png, costs)


if __name__ == '__main__':
    main()
