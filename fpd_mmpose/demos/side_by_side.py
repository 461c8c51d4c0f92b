"""Runs networks on an image, and draws their predictions side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fpd_mmpose.demos.box_sources import PersonBoxes
from fpd_mmpose.demos.painter import Painter, beside
from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction


@dataclass(frozen=True)
class Drawn:
    """The predictions for an image, and their drawing."""

    boxes: np.ndarray  # x1, y1, x2, y2 of the people, (N, 4)
    predictions: list[Prediction]  # one for each network
    image: np.ndarray  # uint8 BGR


class SideBySide:
    """Runs networks on the same people and draws them from left to right.

    Keypoints that score below ``kpt_thr`` are not drawn; heatmaps go below the people.
    """

    def __init__(
        self,
        networks: Sequence[PoseNetwork],
        people: PersonBoxes | None = None,
        kpt_thr: float = 0.3,
        draw_heatmap: bool = False,
    ) -> None:
        self.networks = list(networks)
        self.people = people or PersonBoxes()
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
        if len(drawn) == 1:
            return Drawn(boxes, predictions, drawn[0])
        captions = [f'{network.label}: {network.name}' for network in self.networks]
        return Drawn(boxes, predictions, beside(drawn, captions))
