"""Draws the predictions of networks with MMPose's visualizer."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.demos.box_sources import BoxSource
from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction
from fpd_mmpose.deploy.draw import why_nothing_is_drawn

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


@dataclass(frozen=True)
class Drawn:
    """The predictions for an image, and their drawing."""

    boxes: np.ndarray  # x1, y1, x2, y2 of the people, (N, 4)
    predictions: list[Prediction]  # one for each network
    image: np.ndarray  # uint8 BGR
    note: str  # why no keypoint is drawn, or empty


class SideBySide:
    """Runs networks on the same people and draws them from left to right.

    Keypoints that score below ``kpt_thr`` are not drawn; heatmaps go below the people.
    """

    def __init__(
        self,
        networks: Sequence[PoseNetwork],
        people: BoxSource | None = None,
        kpt_thr: float = 0.3,
        draw_heatmap: bool = False,
    ) -> None:
        self.networks = list(networks)
        self.people = people or BoxSource()
        self.kpt_thr = kpt_thr
        self.draw_heatmap = draw_heatmap
        boxed = self.people.detector is not None
        self.painters = [Painter(network, kpt_thr, boxed) for network in networks]

    def __call__(self, image: np.ndarray) -> Drawn:
        """Finds the people in a uint8 BGR image, (H, W, 3), and draws them.

        Several networks get captions.
        """
        boxes = self.people(image)
        predictions = [
            network(image, boxes, self.draw_heatmap) for network in self.networks
        ]
        drawn = []
        for painter, prediction in zip(self.painters, predictions, strict=True):
            people = painter.skeletons(image, prediction)
            if self.draw_heatmap:
                people = np.vstack([people, painter.heatmap(image, prediction)])
            drawn.append(people)
        scores = [each.people.keypoint_scores for each in predictions if len(boxes)]
        best = np.hstack(scores) if scores else np.empty((0, 0))
        note = why_nothing_is_drawn(best, self.kpt_thr)
        if len(drawn) == 1:
            return Drawn(boxes, predictions, drawn[0], note)
        captioned = [
            np.vstack([_caption(f'{each.label}: {each.name}', one.shape[1]), one])
            for each, one in zip(self.networks, drawn, strict=True)
        ]
        return Drawn(boxes, predictions, np.hstack(captioned), note)


def _caption(text: str, width: int) -> np.ndarray:
    factor = max(1.0, width / 1000)
    strip = np.full((round(CAPTION * factor), width, 3), 255, np.uint8)
    start = (round(6 * factor), round((CAPTION - 8) * factor))
    font = (cv2.FONT_HERSHEY_SIMPLEX, 0.5 * factor)
    cv2.putText(strip, text, start, *font, (40, 40, 40), round(factor), cv2.LINE_AA)
    return strip
