"""A student, and a teacher beside it where that is wanted, at work on an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fpd_mmpose.demos.box_sources import PersonBoxes
from fpd_mmpose.demos.painter import Painter, beside
from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction


@dataclass(frozen=True)
class Drawn:
    """An image with what was found in it.

    Attributes:
        boxes (np.ndarray): Of the people, ``x1, y1, x2, y2``, (N, 4).
        predictions (list[Prediction]): Of each network.
        picture (np.ndarray): BGR, uint8.
    """

    boxes: np.ndarray
    predictions: list[Prediction]
    picture: np.ndarray


class SideBySide:
    """Runs networks on the same people and draws what they find.

    Args:
        networks (Sequence[PoseNetwork]): From left to right.
        people (PersonBoxes, optional): Defaults to ``None``: the whole image is the
            box of one person.
        kpt_thr (float): Joints with lower scores are not drawn. Defaults to 0.3.
        draw_heatmap (bool): Whether heatmaps are drawn below. Defaults to ``False``.
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
        """Finds the keypoints and draws them.

        Args:
            image (np.ndarray): BGR, uint8 (H, W, 3).

        Returns:
            Drawn: With a picture of the image's size for each network, side by side
            under a caption if there are several; heatmaps are below.

        Raises:
            ValueError: If the image or the detector cannot be used. One line.
        """
        boxes = self.people(image)
        predictions = [
            network(image, boxes, self.draw_heatmap) for network in self.networks
        ]
        pictures = []
        for painter, prediction in zip(self.painters, predictions, strict=True):
            picture = painter.skeletons(image, prediction)
            if self.draw_heatmap:
                picture = np.vstack([picture, painter.heatmap(image, prediction)])
            pictures.append(picture)
        if len(pictures) == 1:
            return Drawn(boxes, predictions, pictures[0])
        captions = [f'{network.label}: {network.name}' for network in self.networks]
        return Drawn(boxes, predictions, beside(pictures, captions))
