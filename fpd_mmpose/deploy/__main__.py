"""Finds keypoints in an image with an exported network, and prints them as JSON."""

import argparse
import json
from collections.abc import Sequence

from fpd_mmpose.deploy.draw import draw_poses
from fpd_mmpose.deploy.pose_session import PoseSession
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image, write_image


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
    try:
        session = PoseSession(args.model, threads=args.threads, backend=args.backend)
        image = read_image(args.image)
        poses = session(image, args.box)
        if args.out_file:
            drawn = draw_poses(image, poses, session.info, args.kpt_thr)
            write_image(args.out_file, drawn)
    except UserError as error:
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


if __name__ == '__main__':
    main()
