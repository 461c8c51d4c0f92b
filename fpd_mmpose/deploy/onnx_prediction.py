"""Finds keypoints with an exported network: what ``fpd predict STUDENT.onnx`` runs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.deploy.draw import draw_poses
from fpd_mmpose.deploy.pose_session import Poses, PoseSession
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_bytes
from fpd_mmpose.inputs import read_image


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
    return poses_json(poses, session.info.joints)


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


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Writes a BGR image in the format that the file name ends in."""
    try:
        content = cv2.imencode(Path(path).suffix, image)[1]
    except cv2.error as error:
        raise UserError(
            f'"{path}" cannot be written: name a file that ends in .jpg or .png'
        ) from error
    write_bytes(path, content.tobytes())
