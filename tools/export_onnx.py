#!/usr/bin/env python
"""Exports a trained network to an ONNX file that describes its input and output."""

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The file is written once ONNX Runtime has computed the same as '
        'PyTorch.',
    )
    parser.add_argument('config', help='config of a top-down heatmap estimator')
    parser.add_argument('checkpoint', help='its weights: a file or a URL')
    parser.add_argument('out', metavar='OUT.onnx', help='file to write')
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the mirrored crop, which doubles the work',
    )
    parser.add_argument(
        '--with-decode',
        action='store_true',
        help='return keypoints and scores instead of heatmaps',
    )
    parser.add_argument(
        '--with-preprocess',
        choices=('bgr', 'rgb'),
        help='take uint8 images with this channel order, and normalize them',
    )
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        '--fp16', action='store_true', help='compute in half precision, for GPUs'
    )
    precision.add_argument(
        '--int8',
        metavar='DATA',
        help='compute in 8 bits, calibrated on the training people of the config below '
        'this data root, and report the change of the test score; or calibrated on a '
        'folder of images of one person each',
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        help='largest accepted difference from PyTorch, relative to the highest '
        'heatmap value (0.001; with --fp16 0.05)',
    )
    parser.add_argument('--opset', type=int, default=17, help='ONNX opset (17)')
    args = parser.parse_args(argv)

    # Warnings that packages raise on import are not about the network.
    warnings.simplefilter('ignore')
    # Imported after parsing, so that --help does not wait for torch.
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
        files = (args.config, args.checkpoint, args.out)
        if args.int8:
            print(export_int8(*files, args.int8, options, log=log))
        else:
            print(export_onnx(*files, options))


if __name__ == '__main__':
    main()
