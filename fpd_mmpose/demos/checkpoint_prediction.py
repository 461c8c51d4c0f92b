"""Finds keypoints with a checkpoint: what ``fpd predict CONFIG CHECKPOINT`` runs."""

import argparse

from mmengine.registry import init_default_scope

from fpd_mmpose.demos.painter import Painter
from fpd_mmpose.demos.pose_network import PoseNetwork
from fpd_mmpose.deploy.onnx_prediction import poses_json
from fpd_mmpose.deploy.pose_session import Poses
from fpd_mmpose.inputs import read_image, write_image


def predict_checkpoint(args: argparse.Namespace) -> str:
    """Finds the people of an image with the parsed options of ``fpd predict``.

    Returns the JSON text; draws the people if ``out_file`` is given.
    """
    config, checkpoint, file = args.files
    image = read_image(file)
    init_default_scope('mmpose')
    network = PoseNetwork(config, checkpoint, args.device or 'auto')
    prediction = network(image, args.box)
    if args.out_file:
        drawn = Painter(network, args.kpt_thr).skeletons(image, prediction)
        write_image(args.out_file, drawn)
    people = prediction.people
    poses = Poses(people.keypoints, people.keypoint_scores, people.bboxes)
    return poses_json(poses, network.joints)
