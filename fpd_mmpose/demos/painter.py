"""Draws predictions with MMPose's visualizer."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction

#: Height in pixels of the caption of an image that is not wider than 1000.
CAPTION = 26


class Painter:
    """Draws the skeletons and heatmaps of a network on uint8 BGR images, (H, W, 3).

    Keypoints that score below ``kpt_thr`` are not drawn.
    """

    def __init__(
        self, network: PoseNetwork, kpt_thr: float = 0.3, draw_boxes: bool = False
    ) -> None:
        self.kpt_thr = kpt_thr
        self.draw_boxes = draw_boxes
        self._visualizer = PoseLocalVisualizer(network.label)
        self._visualizer.set_dataset_meta(network.model.dataset_meta)

    def skeletons(self, image: np.ndarray, prediction: Prediction) -> np.ndarray:
        """Draws the people on a copy of the image."""
        if not len(prediction.people):
            return image.copy()
        # Thin enough for small images, and thick enough for large ones.
        strength = max(1, round(min(image.shape[:2]) / 200))
        self._visualizer.radius = strength + 1
        self._visualizer.line_width = strength
        sample = PoseDataSample(pred_instances=prediction.people)
        drawn = self._visualizer.add_datasample(
            'people',
            image[..., ::-1],
            sample,
            draw_gt=False,
            draw_bbox=self.draw_boxes,
            kpt_thr=self.kpt_thr,
        )
        return np.ascontiguousarray(drawn[..., ::-1])

    def heatmap(self, image: np.ndarray, prediction: Prediction) -> np.ndarray:
        """Draws the heatmap on a copy of the image, colored from minimum to maximum."""
        values = torch.from_numpy(prediction.heatmap)[None]
        drawn = self._visualizer.draw_featmap(values, image[..., ::-1].copy())
        return np.ascontiguousarray(drawn[..., ::-1])


def beside(images: Sequence[np.ndarray], captions: Sequence[str]) -> np.ndarray:
    """Joins images of one size from left to right, with a caption above each."""
    return np.hstack(
        [
            np.vstack([_caption(text, image.shape[1]), image])
            for image, text in zip(images, captions, strict=True)
        ]
    )


def _caption(text: str, width: int) -> np.ndarray:
    factor = max(1.0, width / 1000)
    strip = np.full((round(CAPTION * factor), width, 3), 255, np.uint8)
    start = (round(6 * factor), round((CAPTION - 8) * factor))
    font = (cv2.FONT_HERSHEY_SIMPLEX, 0.5 * factor)
    cv2.putText(strip, text, start, *font, (40, 40, 40), round(factor), cv2.LINE_AA)
    return strip
