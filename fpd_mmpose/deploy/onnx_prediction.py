"""Finds keypoints with an exported network: what ``fpd predict STUDENT.onnx`` runs."""

import argparse
import json
import sys
from collections.abc import Sequence

from fpd_mmpose.deploy.draw import draw_poses, why_nothing_is_drawn
from fpd_mmpose.deploy.pose_session import Poses, PoseSession
from fpd_mmpose.inputs import read_image, write_image


def predict_exported(args: argparse.Namespace) -> str:
    """Finds the people of an image with the parsed options of ``fpd predict``.

    Returns the JSON text; draws the people if ``out_file`` is given.
    """
    model, file = args.files
    session = PoseSession(
        model, threads=args.threads, backend=args.backend or 'onnxruntime'
    )
    image = read_image(file)
    poses = session(image, args.box)
    if args.out_file:
        drawn = draw_poses(image, poses, session.info, args.kpt_thr)
        write_image(args.out_file, drawn)
        report_nothing_drawn(args.out_file, poses, args.kpt_thr)
    return poses_json(poses, session.info.joints)


def report_nothing_drawn(file: str, poses: Poses, kpt_thr: float) -> None:
    """Says on stderr that no keypoint scores enough to be in the drawn image."""
    if note := why_nothing_is_drawn(poses.scores, kpt_thr):
        print(f'"{file}": {note}', file=sys.stderr)


def poses_json(poses: Poses, joints: Sequence[str]) -> str:
    """Lists each person's box, and keypoints by name as x, y, and score."""
    people = [
        dict(
            box=box.tolist(),
            keypoints={
                name: [round(x, 2), round(y, 2), round(score, 4)]
                for name, (x, y), score in zip(
                    joints, points.tolist(), scores.tolist(), strict=True
                )
            },
        )
        for box, points, scores in zip(
            poses.boxes, poses.keypoints, poses.scores, strict=True
        )
    ]
    return json.dumps(people, indent=1)
