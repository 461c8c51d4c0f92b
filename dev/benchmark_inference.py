#!/usr/bin/env python
"""Times inference: student, teacher and small networks of MMPose, engine by engine.

The networks alone, and the student's whole way from a JPEG file and boxes to keypoints,
run in turn in one process on the CPU. Weights are random where no checkpoint is given.
"""

import argparse
import sys


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    network = dict(nargs='+', metavar=('CONFIG', 'CHECKPOINT'))
    parser.add_argument(
        '--student', default=['configs/hourglass/hg4_128_mpii.py'], **network
    )
    parser.add_argument(
        '--teacher',
        nargs='*',
        metavar=('CONFIG', 'CHECKPOINT'),
        default=['configs/hourglass/hg8_256_mpii.py'],
        help='alone, it leaves the teacher out',
    )
    parser.add_argument(
        '--peers',
        nargs='*',
        default=['mobilenetv2', 'litehrnet-30', 'rtmpose-s', 'rtmpose-t'],
        help="MMPose's own networks, with random weights; alone, it leaves them out",
    )
    parser.add_argument(
        '--engines',
        nargs='+',
        default=['eager', 'compiled', 'onnxruntime', 'int8', 'openvino'],
    )
    parser.add_argument(
        '--compile-all',
        action='store_true',
        help='compile each network for each batch, which takes minutes every time; '
        'else the student for the smallest batch',
    )
    parser.add_argument(
        '--batch', type=int, nargs='+', default=[1, 16], help='people taken together'
    )
    parser.add_argument('--threads', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--rounds', type=int, default=3, help='of each figure')
    parser.add_argument(
        '--memory',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='measure the memory of each network and engine in a process of its own',
    )
    parser.add_argument('--json', metavar='FILE', help='write all times')
    parser.add_argument('--png', metavar='FILE', help='draw the times as bars')
    args = parser.parse_args(argv)
    for option in ('engines', 'batch', 'threads'):
        setattr(args, option, list(dict.fromkeys(getattr(args, option))))
    for option in ('batch', 'threads', 'rounds'):
        value = getattr(args, option)
        if (least := min(value) if isinstance(value, list) else value) < 1:
            parser.error(f'--{option} must be positive, got {least}')
    for option in ('student', 'teacher'):
        if len(getattr(args, option)) > 2:
            parser.error(f'--{option} takes a config and at most one checkpoint')

    # After the parsing: the package imports torch, and --help should not wait.
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
                args.batch,
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
