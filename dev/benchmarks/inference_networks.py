"""Networks whose inference is compared: student, teacher, and others of MMPose."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from mmpose.apis import init_model
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.complexity import Complexity, count
from fpd_mmpose.synthetic.scene import draw_person
from fpd_mmpose.weights.initialization import load_model

STUDENT, TEACHER = 'student', 'teacher'
_HEATMAP = 'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_'
_RTMPOSE = 'mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-'
PEERS = {
    'mobilenetv2': f'{_HEATMAP}mobilenetv2_8xb64-210e_mpii-256x256.py',
    'litehrnet-30': f'{_HEATMAP}litehrnet-30_8xb64-210e_mpii-256x256.py',
    'rtmpose-s': f'{_RTMPOSE}s_8xb256-420e_coco-256x192.py',
    'rtmpose-t': f'{_RTMPOSE}t_8xb256-420e_coco-256x192.py',
}
"""Small networks of MMPose, by their names in tables."""


@dataclass
class Network:
    """A pose estimator in eval mode, and its input size (width, height)."""

    name: str
    config: str
    checkpoint: str | None
    model: BasePoseEstimator
    input_size: tuple[int, int]

    @cached_property
    def complexity(self) -> Complexity:
        """Returns the parameters and multiply-accumulates."""
        return count(self.model, self.input_size)

    @property
    def source(self) -> list[str]:
        """Returns the config and, if there is one, the checkpoint."""
        return [self.config, *([self.checkpoint] if self.checkpoint else [])]

    @cached_property
    def last_stage(self) -> nn.Module:
        """Returns the network from crops to the head's output."""
        return LastStage(self.model).train(False)

    @property
    def has_vectors(self) -> bool:
        """Whether the head returns two vectors per joint, as SimCC does."""
        return isinstance(self._output(self.crops(1)), tuple)

    def run(self, crops: np.ndarray) -> np.ndarray:
        """Maps normalized crops to heatmaps (N, K, h, w), or SimCC's vectors of x."""
        output = self._output(crops)
        return (output[0] if isinstance(output, tuple) else output).numpy()

    def _output(self, crops: np.ndarray) -> Tensor | tuple[Tensor, ...]:
        with torch.inference_mode():
            return self.last_stage(torch.from_numpy(crops))

    def crops(self, people: int) -> np.ndarray:
        """Draws people as the network's input, float32 (N, 3, H, W)."""
        drawn = [draw_person(0, 'val', index).image for index in range(people)]
        images = [
            torch.from_numpy(cv2.resize(image, self.input_size)).permute(2, 0, 1)
            for image in drawn
        ]
        batch = dict(inputs=images, data_samples=[PoseDataSample() for _ in images])
        prepared = self.model.data_preprocessor(batch)
        return prepared['inputs'].numpy()


class LastStage(nn.Module):
    """A pose estimator without losses, decoding, and earlier stages."""

    def __init__(self, model: BasePoseEstimator):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Returns heatmaps, or the two vectors of SimCC."""
        output = self.model(images, None)
        return output[-1] if isinstance(output, list) else output


def build_network(
    name: str, config: str | Path, checkpoint: str | Path | None = None
) -> Network:
    """Builds a network on the CPU, with random weights without a checkpoint."""
    torch.manual_seed(0)
    if checkpoint is None:
        model = init_model(load_config(config), device='cpu')
    else:
        model = load_model(config, str(checkpoint))
    decoder = getattr(getattr(model, 'head', None), 'decoder', None)
    if decoder is None:
        raise UserError(f'config "{config}" has no head that decodes keypoints')
    return Network(
        name,
        str(config),
        None if checkpoint is None else str(checkpoint),
        model.requires_grad_(False),
        tuple(int(side) for side in decoder.input_size),
    )


def build_networks(
    student: Sequence[str], teacher: Sequence[str], peers: Sequence[str]
) -> list[Network]:
    """Builds the networks, the student first; an empty teacher is left out."""
    if unknown := [name for name in peers if name not in PEERS]:
        raise UserError(f'network "{unknown[0]}" is unknown: use {", ".join(PEERS)}')
    networks = [build_network(STUDENT, *student)]
    if teacher:
        networks.append(build_network(TEACHER, *teacher))
    return networks + [
        build_network(name, PEERS[name]) for name in dict.fromkeys(peers)
    ]
