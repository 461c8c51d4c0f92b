"""A trained network that finds the keypoints of people in images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.apis import inference_topdown
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.structures import PoseDataSample
from mmpose.structures.utils import revert_heatmap

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import MAX_SIDE
from fpd_mmpose.inputs import check_boxes, check_image
from fpd_mmpose.weights.initialization import load_model


@dataclass(frozen=True)
class Prediction:
    """The people in an image, and the time that they took, from image to keypoints."""

    people: InstanceData  # keypoints (N, K, 2) in pixels, keypoint_scores, bboxes
    heatmap: np.ndarray | None  # maximum over keypoints and people, float32 (H, W)
    milliseconds: float


class PoseNetwork:
    """A top-down pose estimator with its weights.

    The config is that of the network, or of its distillation, for which the teacher's
    file is not needed. Weights of the code released with the paper work too. Outputs
    name the network by its label.
    """

    def __init__(
        self,
        config: str | Path | dict | Config,
        checkpoint: str | Path,
        device: str = 'auto',
        label: str = 'student',
    ) -> None:
        self.label = label
        self.checkpoint = str(checkpoint)
        content = config if isinstance(config, Config) else load_config(config)
        self.name = Path(content.filename).stem if content.filename else label
        try:
            content.test_dataloader.dataset.pipeline  # noqa: B018
        except AttributeError as error:
            raise UserError(
                f'config "{self.name}" has no test_dataloader.dataset.pipeline, which '
                'prepares images for the network: use a complete config'
            ) from error
        model = load_model(content, self.checkpoint, device)
        if not isinstance(model, TopdownPoseEstimator):
            raise UserError(
                f'config "{self.name}" has a {type(model).__name__}: use that of a '
                'top-down pose estimator'
            )
        self.model: TopdownPoseEstimator = model

    @property
    def joints(self) -> list[str]:
        """The names of the K keypoints."""
        meta = self.model.dataset_meta
        return [meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])]

    def __call__(
        self,
        image: np.ndarray,
        boxes: np.ndarray | list | None = None,
        heatmap: bool = False,
    ) -> Prediction:
        """Finds the keypoints of all people in a uint8 BGR image, (H, W, 3), at once.

        Boxes are x1, y1, x2, y2 in pixels, (N, 4); the default is the whole image. The
        heatmap takes more memory and time.
        """
        image = check_image(image)
        boxes = check_boxes(boxes, image.shape)
        self.model.test_cfg['output_heatmaps'] = heatmap
        start = time.perf_counter()
        # MMPose takes an empty list of boxes for the whole image.
        samples = inference_topdown(self.model, image, boxes) if len(boxes) else []
        milliseconds = 1000 * (time.perf_counter() - start)
        if samples:
            people = InstanceData.cat([sample.pred_instances for sample in samples])
        else:
            people = _nobody(len(self.joints))
        drawn = _highest(samples, image.shape[:2]) if heatmap else None
        return Prediction(people, drawn, milliseconds)


def load_teacher(
    student: str | Path, given: Sequence[str] = (), device: str = 'auto'
) -> PoseNetwork:
    """Loads a teacher from its config and checkpoint, under the label ``'teacher'``.

    The default is the teacher that the student's config for distillation names.
    """
    if given:
        config, checkpoint = given
    else:
        named = load_config(student).model.get('teacher', {})
        config, checkpoint = named.get('config'), named.get('checkpoint')
        if not config or not checkpoint:
            raise UserError(
                f'config "{student}" does not name a teacher with a network: give the '
                'config and the checkpoint of one'
            )
    try:
        return PoseNetwork(config, checkpoint, device, label='teacher')
    except UserError as error:
        raise UserError(f'teacher: {error}') from error


def _nobody(joints: int) -> InstanceData:
    return InstanceData(
        keypoints=np.zeros((0, joints, 2), np.float32),
        keypoint_scores=np.zeros((0, joints), np.float32),
        keypoints_visible=np.zeros((0, joints), np.float32),
        bboxes=np.zeros((0, 4), np.float32),
        bbox_scores=np.zeros(0, np.float32),
    )


def _highest(samples: list[PoseDataSample], size: tuple[int, int]) -> np.ndarray:
    """Merges heatmaps like ``merge_data_samples``, without (N, K, H, W) in memory."""
    # MMPose cannot warp to a longer side.
    shrink = min(1.0, MAX_SIDE / max(size))
    small = (size[0], size[1])
    if shrink < 1:
        small = max(1, int(size[0] * shrink)), max(1, int(size[1] * shrink))
    highest = np.zeros(small, np.float32)
    for sample in samples:
        heatmaps = sample.pred_fields.heatmaps
        if isinstance(heatmaps, torch.Tensor):
            heatmaps = heatmaps.cpu().numpy()
        merged = revert_heatmap(
            heatmaps.max(axis=0),
            sample.input_center * shrink,
            sample.input_scale * shrink,
            small,
        )
        np.maximum(highest, merged, out=highest)
    return highest if small == size else cv2.resize(highest, size[::-1])
