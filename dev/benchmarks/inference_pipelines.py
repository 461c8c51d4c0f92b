"""Pipelines from a JPEG file and boxes to keypoints."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.apis import MMPoseInferencer, inference_topdown
from mmpose.structures import PoseDataSample

from benchmarks.inference_engines import EAGER, INT8, ONNXRUNTIME, OPENVINO
from benchmarks.inference_files import ExportedFiles
from benchmarks.inference_networks import Network
from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.inputs import read_image

#: Maps an image file and boxes (N, 4) as xyxy to keypoints (N, K, 2).
Pipeline = Callable[[Path, np.ndarray], np.ndarray]
#: Makes a pipeline of a network with a number of threads.
Load = Callable[[Network, ExportedFiles, int], Pipeline]


def _pose_session(
    engine: str, network: Network, files: ExportedFiles, threads: int
) -> Pipeline:
    backend = OPENVINO if engine == OPENVINO else ONNXRUNTIME
    file = files.path(network, engine == INT8)
    session = PoseSession(file, threads=threads, backend=backend)

    def run(path: Path, boxes: np.ndarray) -> np.ndarray:
        return session(read_image(path), boxes).keypoints

    return run


def _inference_topdown(
    network: Network, files: ExportedFiles, threads: int
) -> Pipeline:
    model = _without_flip_test(network)

    def run(path: Path, boxes: np.ndarray) -> np.ndarray:
        # Given the path, MMPose would read the file again for each box.
        samples = inference_topdown(model, read_image(path), boxes)
        return np.concatenate([one.pred_instances.keypoints for one in samples])

    return run


def _inferencer(network: Network, files: ExportedFiles, threads: int) -> Pipeline:
    model = _without_flip_test(network)
    inferencer = MMPoseInferencer(
        copy.deepcopy(model.cfg), det_model='whole_image', device='cpu'
    )
    pose = inferencer.inferencer
    pose.model = model
    pose.det_cat_ids = (0,)

    def run(path: Path, boxes: np.ndarray) -> np.ndarray:
        # It ignores boxes passed to it, and takes those of its detector.
        pose.detector = partial(_detected, boxes)
        results = inferencer(read_image(path), return_datasamples=True, nms_thr=1.0)
        samples = next(results)['predictions']
        return np.concatenate([one.pred_instances.keypoints for one in samples])

    return run


def _without_flip_test(network: Network) -> torch.nn.Module:
    model = copy.copy(network.model)
    model.test_cfg = copy.deepcopy(model.test_cfg)
    model.test_cfg['flip_test'] = False
    return model


def _detected(boxes: np.ndarray, *_: object, **__: object) -> dict:
    """Returns the boxes in the form of mmdet's inferencer."""
    found = InstanceData(
        bboxes=torch.from_numpy(boxes),
        scores=torch.linspace(1, 0.9, len(boxes)),  # people are sorted by score
        labels=torch.zeros(len(boxes), dtype=torch.long),
    )
    return dict(predictions=[PoseDataSample(pred_instances=found)])


PIPELINES: dict[str, dict[str, Load]] = {
    EAGER: {
        'MMPose inference_topdown': _inference_topdown,
        'MMPoseInferencer': _inferencer,
    },
    ONNXRUNTIME: {
        'PoseSession, ONNX Runtime fp32': partial(_pose_session, ONNXRUNTIME)
    },
    INT8: {'PoseSession, ONNX Runtime int8': partial(_pose_session, INT8)},
    OPENVINO: {'PoseSession, OpenVINO': partial(_pose_session, OPENVINO)},
}
"""The pipelines of each engine."""
