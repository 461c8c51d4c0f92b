"""A trained network that finds the keypoints of people in images."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.apis import inference_topdown
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.structures import PoseDataSample
from mmpose.structures.utils import revert_heatmap

from fpd_mmpose.config import load_config
from fpd_mmpose.demos.device import pick_device
from fpd_mmpose.inputs import check_boxes, check_image
from fpd_mmpose.weights.initialization import load_model


@dataclass(frozen=True)
class Prediction:
    """What a network found in an image.

    Attributes:
        people (InstanceData): Of N people, with K joints: ``keypoints`` (N, K, 2) in
            pixels of the image, ``keypoint_scores`` (N, K) and ``bboxes`` (N, 4).
        heatmap (np.ndarray, optional): The highest of all joints and people at each
            pixel of the image, float32, (H, W).
        milliseconds (float): From the image to the keypoints.
    """

    people: InstanceData
    heatmap: np.ndarray | None
    milliseconds: float


class PoseNetwork:
    """A top-down pose estimator with its weights.

    Args:
        config (str | Path | dict | Config): Of the network, or of its distillation,
            which needs no teacher's file here. See :func:`load_config`.
        checkpoint (str | Path): Path or URL of its weights, of this project or of
            the released FPD code.
        device (str): See :func:`pick_device`. Defaults to ``'auto'``.
        label (str): Its name in pictures and files. Defaults to ``'student'``.

    Raises:
        ValueError: If config and checkpoint cannot be used together, or not on that
            device. One line.
    """

    def __init__(
        self,
        config: str | Path | dict | Config,
        checkpoint: str | Path,
        device: str = 'auto',
        label: str = 'student',
    ) -> None:
        device = pick_device(device)
        self.label = label
        self.checkpoint = str(checkpoint)
        content = config if isinstance(config, Config) else load_config(config)
        self.name = Path(content.filename).stem if content.filename else label
        _check_config(content, self.name)
        self.model = load_model(content, self.checkpoint, device)
        if not isinstance(self.model, TopdownPoseEstimator):
            raise ValueError(
                f'config "{self.name}" is of a {type(self.model).__name__}: give one '
                'of a top-down pose estimator'
            )

    @property
    def joints(self) -> list[str]:
        """Names of the K keypoints."""
        meta = self.model.dataset_meta
        return [meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])]

    def __call__(
        self,
        image: np.ndarray,
        boxes: np.ndarray | list | None = None,
        heatmap: bool = False,
    ) -> Prediction:
        """Finds the keypoints of some people, in one pass.

        Args:
            image (np.ndarray): BGR, uint8 (H, W, 3).
            boxes (np.ndarray | list, optional): ``x1, y1, x2, y2`` in pixels, (N, 4).
                The whole image by default. N may be 0.
            heatmap (bool): Whether the heatmap is wanted too. Defaults to ``False``.

        Returns:
            Prediction: With a person for each box.

        Raises:
            ValueError: If the image or a box cannot be used. One line.
        """
        image = check_image(image)
        boxes = check_boxes(boxes, image.shape)
        self.model.test_cfg['output_heatmaps'] = heatmap
        start = time.perf_counter()
        # MMPose takes no boxes for the whole image.
        samples = inference_topdown(self.model, image, boxes) if len(boxes) else []
        milliseconds = 1000 * (time.perf_counter() - start)
        if samples:
            people = InstanceData.cat([sample.pred_instances for sample in samples])
        else:
            people = _nobody(len(self.joints))
        drawn = _highest(samples, image.shape[:2]) if heatmap else None
        return Prediction(people, drawn, milliseconds)


def _check_config(config: Config, name: str) -> None:
    try:
        config.test_dataloader.dataset.pipeline  # noqa: B018
    except AttributeError as error:
        raise ValueError(
            f'config "{name}" has no test_dataloader.dataset.pipeline, which says how '
            'images become input: give a whole config'
        ) from error


def _nobody(joints: int) -> InstanceData:
    return InstanceData(
        keypoints=np.zeros((0, joints, 2), np.float32),
        keypoint_scores=np.zeros((0, joints), np.float32),
        keypoints_visible=np.zeros((0, joints), np.float32),
        bboxes=np.zeros((0, 4), np.float32),
        bbox_scores=np.zeros(0, np.float32),
    )


def _highest(samples: list[PoseDataSample], size: tuple[int, int]) -> np.ndarray:
    """As ``merge_data_samples``, which holds (N, K, H, W) in memory."""
    highest = np.zeros(size, np.float32)
    for sample in samples:
        heatmaps = sample.pred_fields.heatmaps
        if isinstance(heatmaps, torch.Tensor):
            heatmaps = heatmaps.cpu().numpy()
        one = revert_heatmap(
            heatmaps.max(axis=0), sample.input_center, sample.input_scale, size
        )
        np.maximum(highest, one, out=highest)
    return highest
