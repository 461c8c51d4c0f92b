"""Draws what networks found."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction

#: Height in pixels of the caption of a picture that is not wider than 1000.
CAPTION = 26


class Painter:
    """Draws skeletons and heatmaps with MMPose's visualizer.

    Args:
        network (PoseNetwork): Whose joints and links these are.
        kpt_thr (float): Joints with lower scores are not drawn. Defaults to 0.3.
        draw_boxes (bool): Whether the people's boxes are drawn. Defaults to ``False``.
    """

    def __init__(
        self, network: PoseNetwork, kpt_thr: float = 0.3, draw_boxes: bool = False
    ) -> None:
        self.kpt_thr = kpt_thr
        self.draw_boxes = draw_boxes
        self._visualizer = PoseLocalVisualizer(network.label)
        self._visualizer.set_dataset_meta(network.model.dataset_meta)

    def skeletons(self, image: np.ndarray, prediction: Prediction) -> np.ndarray:
        """Draws the people over their image.

        Args:
            image (np.ndarray): BGR, uint8 (H, W, 3).
            prediction (Prediction): Of that image.

        Returns:
            np.ndarray: BGR, of the same size.
        """
        if not len(prediction.people):
            return image.copy()
        # Visible in small pictures, and not lost in large ones.
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
        """Lays the heatmap over its image.

        Args:
            image (np.ndarray): BGR, uint8 (H, W, 3).
            prediction (Prediction): Of that image, with its heatmap. Colours go from
                its lowest to its highest value.

        Returns:
            np.ndarray: BGR, of the same size.
        """
        values = torch.from_numpy(prediction.heatmap)[None]
        drawn = self._visualizer.draw_featmap(values, image[..., ::-1].copy())
        return np.ascontiguousarray(drawn[..., ::-1])


def beside(pictures: Sequence[np.ndarray], captions: Sequence[str]) -> np.ndarray:
    """Puts pictures of one size beside each other, with a line of text above each.

    Args:
        pictures (Sequence[np.ndarray]): BGR, uint8 (H, W, 3).
        captions (Sequence[str]): A text for each; cut where it is too long.

    Returns:
        np.ndarray: BGR, uint8; higher than the pictures by :data:`CAPTION`, and more
        where they are wide.
    """
    return np.hstack(
        [
            np.vstack([_caption(text, picture.shape[1]), picture])
            for picture, text in zip(pictures, captions, strict=True)
        ]
    )


def _caption(text: str, width: int) -> np.ndarray:
    factor = max(1.0, width / 1000)
    strip = np.full((round(CAPTION * factor), width, 3), 255, np.uint8)
    start = (round(6 * factor), round((CAPTION - 8) * factor))
    font = (cv2.FONT_HERSHEY_SIMPLEX, 0.5 * factor)
    cv2.putText(strip, text, start, *font, (40, 40, 40), round(factor), cv2.LINE_AA)
    return strip
