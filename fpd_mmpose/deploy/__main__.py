"""Finds the keypoints of an image with an exported network, and prints them as JSON."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.deploy.draw import draw_poses
from fpd_mmpose.deploy.pose_session import PoseSession
from fpd_mmpose.files import write_bytes
from fpd_mmpose.inputs import read_image


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command.

    Args:
        arguments (Sequence[str], optional): The command line; by default that of the
            process.

    Raises:
        SystemExit: With one line, if the network or the image cannot be used.
    """
    parser = argparse.ArgumentParser('python -m fpd_mmpose.deploy', description=__doc__)
    parser.add_argument('model', help='written by tools/export_onnx.py')
    parser.add_argument('image', help='a JPEG or PNG file')
    parser.add_argument(
        '--box',
        type=float,
        nargs=4,
        action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='of a person, in pixels; may be repeated; the whole image by default',
    )
    parser.add_argument('--out-file', type=Path, help='the image with the people drawn')
    parser.add_argument(
        '--kpt-thr', type=float, default=0.3, help='least score that is drawn'
    )
    parser.add_argument('--threads', type=int, help='of the network; default: cores')
    parser.add_argument(
        '--backend', default='onnxruntime', choices=['onnxruntime', 'openvino']
    )
    args = parser.parse_args(arguments)
    try:
        session = PoseSession(args.model, threads=args.threads, backend=args.backend)
        image = read_image(args.image)
        poses = session(image, args.box)
        if args.out_file:
            drawn = draw_poses(image, poses, session.info, args.kpt_thr)
            _write(args.out_file, drawn)
    except ValueError as error:
        raise SystemExit(f'error: {error}') from error
    people = [
        dict(
            box=box.tolist(),
            keypoints={
                name: [round(x, 2), round(y, 2), round(score, 4)]
                for name, (x, y), score in zip(
                    session.info.joints, points.tolist(), scores.tolist(), strict=True
                )
            },
        )
        for box, points, scores in zip(
            poses.boxes, poses.keypoints, poses.scores, strict=True
        )
    ]
    print(json.dumps(people, indent=1))


def _write(path: Path, image: np.ndarray) -> None:
    try:
        content = cv2.imencode(path.suffix, image)[1]
    except cv2.error as error:
        raise ValueError(
            f'"{path}" cannot be written: name a file that ends in .jpg or .png'
        ) from error
    write_bytes(path, content.tobytes())


if __name__ == '__main__':
    main()
