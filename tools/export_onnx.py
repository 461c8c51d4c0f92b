#!/usr/bin/env python
"""Writes a trained network as an ONNX file that says itself how to feed it."""

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The file is put in place after ONNX Runtime has been found to compute '
        'what PyTorch does.',
    )
    parser.add_argument('config', help='of a top-down heatmap estimator')
    parser.add_argument('checkpoint', help='its weights, a file or URL')
    parser.add_argument('out', metavar='OUT.onnx', help='file to write')
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the mirrored crop, which doubles the work',
    )
    parser.add_argument(
        '--with-decode',
        action='store_true',
        help='return keypoints and scores in place of heatmaps',
    )
    parser.add_argument(
        '--with-preprocess',
        choices=('bgr', 'rgb'),
        help='take uint8 images of this channel order and normalise them',
    )
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        '--fp16', action='store_true', help='compute in half precision, for GPUs'
    )
    precision.add_argument(
        '--int8',
        metavar='DATA',
        help="compute in 8 bits, calibrated on the training people of the config's "
        'data under this root, and tell the change of the score of its test people; '
        'or calibrated on a folder of images of one person each',
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        help='largest difference from PyTorch, as a share of the highest heatmap '
        'value, that is accepted (0.001, with --fp16 0.05)',
    )
    parser.add_argument('--opset', type=int, default=17, help='of ONNX (17)')
    args = parser.parse_args(argv)

    # What packages warn of when they are imported is not about this network.
    warnings.simplefilter('ignore')
    # After the parsing: the package imports torch, and --help should not wait.
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.export import ExportOptions, export_int8, export_onnx

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with one_line_errors():
        options = ExportOptions(
            flip_test=args.flip_test,
            with_decode=args.with_decode,
            image_order=args.with_preprocess,
            precision='fp16' if args.fp16 else 'fp32',
            tolerance=args.tolerance,
            opset=args.opset,
        )
        given = (args.config, args.checkpoint, args.out)
        if args.int8:
            print(export_int8(*given, args.int8, options, log=log))
        else:
            print(export_onnx(*given, options))


if __name__ == '__main__':
    main()
