"""Finds keypoints in an image with an exported network, and prints them as JSON."""

import argparse
from collections.abc import Sequence

from fpd_mmpose.deploy.onnx_prediction import predict_exported
from fpd_mmpose.errors import UserError


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser('python -m fpd_mmpose.deploy', description=__doc__)
    parser.add_argument('model', help='network exported by tools/export_onnx.py')
    parser.add_argument('image', help='JPEG or PNG file')
    parser.add_argument(
        '--box',
        type=float,
        nargs=4,
        action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='box of a person in pixels; repeat for several (default: the whole image)',
    )
    parser.add_argument('--out-file', help='draw the people and save the image here')
    parser.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        help='do not draw keypoints with a lower score (0.3)',
    )
    parser.add_argument('--threads', type=int, help='CPU threads (default: cores)')
    parser.add_argument(
        '--backend', default='onnxruntime', choices=['onnxruntime', 'openvino']
    )
    args = parser.parse_args(arguments)
    args.files = args.model, args.image
    try:
        print(predict_exported(args))
    except UserError as error:
        raise SystemExit(f'error: {error}') from error


if __name__ == '__main__':
    main()
