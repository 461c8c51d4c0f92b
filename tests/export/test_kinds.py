"""Estimators of every kind give the keypoints of MMPose's flip test, at any batch."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.apis import inference_topdown

from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.export import ExportOptions, export_model
from tests.helpers.kinds import KINDS, estimator, people
from tests.helpers.rounding import assert_same, assert_same_keypoints

#: Of the keypoints, in pixels of the image.
WITHIN = 0.1


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize('kind', KINDS)
def test_keypoints_are_those_of_mmpose(
    kind: str, image: np.ndarray, tmp_path: Path
) -> None:
    model = estimator(kind)
    sessions = []
    for name, options in (
        ('maps', ExportOptions(flip_test=True)),
        ('decoded', ExportOptions(flip_test=True, with_decode=True, image_order='rgb')),
    ):
        export_model(model, tmp_path / f'{name}.onnx', options)
        sessions.append(PoseSession(tmp_path / f'{name}.onnx', threads=1))
    for count in (1, 3, 8):
        boxes = people(count, image)
        found = [one.pred_instances for one in inference_topdown(model, image, boxes)]
        keypoints = np.concatenate([one.keypoints for one in found])
        scores = np.concatenate([one.keypoint_scores for one in found])
        for session in sessions:
            poses = session(image, boxes)
            assert_same_keypoints(poses.keypoints, keypoints, WITHIN)
            assert_same(poses.scores, scores)
            assert len(session.info.joints) == keypoints.shape[1]
