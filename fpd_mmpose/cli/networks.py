"""The commands ``convert``, ``export``, and ``predict``."""

import argparse
import os
import sys

from fpd_mmpose.cli.shared_options import (
    Parser,
    Run,
    add_thresholds,
    positive,
    require_config,
)
from fpd_mmpose.errors import UserError


def convert(parser: Parser) -> Run:
    """Converts weights of other projects to MMPose's names, or back.

    They are those of the released FPD code, HRNet, and SimpleBaseline.
    """
    parser.add_argument('src', help='weights: a file or a URL of any known project')
    parser.add_argument('dst', help='file to write; an existing one is replaced')
    parser.add_argument(
        '--reverse',
        action='store_true',
        help="write the reference's names, or the official ones",
    )
    parser.add_argument(
        '--best',
        action='store_true',
        help="take the best weights so far from the reference's checkpoint.pth",
    )
    parser.add_argument(
        '--verify-input',
        action='store_true',
        help='run the network on a seeded input and print statistics of its output',
    )
    return _convert


def _convert(args: argparse.Namespace) -> None:
    from fpd_mmpose.weights.conversion import convert

    done = convert(args.src, args.dst, args.reverse, args.best, args.verify_input)
    print(*done, sep='\n')


def export(parser: Parser) -> Run:
    """Writes a trained network as an ONNX file.

    The file describes its own input and output.
    """
    parser.epilog = (
        'The file is written once ONNX Runtime has computed the same as PyTorch.'
    )
    parser.add_argument('config', help='config of a top-down estimator')
    parser.add_argument('checkpoint', help='its weights: a file or a URL')
    parser.add_argument('out', metavar='OUT.onnx', help='file to write')
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the flipped crop, which doubles the work',
    )
    parser.add_argument(
        '--with-decode',
        action='store_true',
        help='return keypoints and scores instead of heatmaps',
    )
    parser.add_argument(
        '--with-preprocess',
        choices=('bgr', 'rgb'),
        help='take uint8 images in this channel order, and normalize them',
    )
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        '--fp16', action='store_true', help='compute in half precision, for GPUs'
    )
    precision.add_argument(
        '--int8',
        metavar='DATA',
        help='compute in 8 bits, calibrated on the training people of the config with '
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
    return _export


def _export(args: argparse.Namespace) -> None:
    if not args.out.endswith('.onnx'):
        raise UserError(f'"{args.out}" must end in .onnx, as `fpd predict` expects')
    require_config(args.config)
    from fpd_mmpose.export import ExportOptions, export_int8, export_onnx

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

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


def predict(parser: Parser) -> Run:
    """Finds the keypoints of people in an image and prints them as JSON.

    An exported network needs neither PyTorch nor MMPose.
    """
    parser.usage = (
        'fpd predict STUDENT.onnx IMAGE [options]\n'
        '       fpd predict CONFIG CHECKPOINT IMAGE [options]'
    )
    parser.add_argument('files', nargs='+', help=argparse.SUPPRESS)
    parser.add_argument(
        '--box',
        type=float,
        nargs=4,
        action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='box of a person in pixels; repeat for several (default: the whole image)',
    )
    parser.add_argument(
        '--out-file', metavar='FILE', help='draw the people and save the image here'
    )
    add_thresholds(parser, boxes=False)
    exported = parser.add_argument_group('options for STUDENT.onnx')
    exported.add_argument(
        '--threads', type=positive, help='CPU threads (default: cores)'
    )
    exported.add_argument(
        '--backend',
        choices=('onnxruntime', 'openvino'),
        help='runtime of the network (onnxruntime)',
    )
    checkpoint = parser.add_argument_group('options for CONFIG CHECKPOINT')
    checkpoint.add_argument(
        '--device', help='where the network runs: cpu, cuda:0, or auto (auto)'
    )

    def run(args: argparse.Namespace) -> None:
        is_exported = len(args.files) == 2 and args.files[0].endswith('.onnx')
        if not is_exported and len(args.files) != 3:
            parser.error('give STUDENT.onnx IMAGE, or CONFIG CHECKPOINT IMAGE')
        if out := args.out_file:
            if os.path.realpath(out) in map(os.path.realpath, args.files):
                parser.error(f'--out-file "{out}" is an input: choose another name')
        unused = ('device',) if is_exported else ('threads', 'backend')
        for option in unused:
            if getattr(args, option) is not None:
                kind = 'CONFIG CHECKPOINT' if is_exported else 'STUDENT.onnx'
                parser.error(f'--{option} is an option for {kind}')
        if is_exported:
            from fpd_mmpose.deploy.onnx_prediction import predict_exported

            print(predict_exported(args))
        else:
            print(_predict_checkpoint(args))

    return run


def _predict_checkpoint(args: argparse.Namespace) -> str:
    """Finds the people of an image with a checkpoint, and returns the JSON text."""
    config, checkpoint, file = args.files
    require_config(config)
    from mmengine.registry import init_default_scope

    from fpd_mmpose.demos.painter import Painter
    from fpd_mmpose.demos.pose_network import PoseNetwork
    from fpd_mmpose.deploy.onnx_prediction import poses_json, report_nothing_drawn
    from fpd_mmpose.deploy.pose_session import Poses
    from fpd_mmpose.inputs import read_image, write_image

    image = read_image(file)
    init_default_scope('mmpose')
    network = PoseNetwork(config, checkpoint, args.device or 'auto')
    prediction = network(image, args.box)
    people = prediction.people
    poses = Poses(people.keypoints, people.keypoint_scores, people.bboxes)
    if args.out_file:
        drawn = Painter(network, args.kpt_thr).skeletons(image, prediction)
        write_image(args.out_file, drawn)
        report_nothing_drawn(args.out_file, poses, args.kpt_thr)
    return poses_json(poses, network.joints)
