"""Selection of detected boxes."""

from dataclasses import dataclass

import numpy as np
from mmpose.evaluation.functional import nms

from fpd_mmpose.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Selects boxes of people, best first, as MMPose's inferencer does by default.

    Boxes outside of the image are dropped.

    Args:
        score_thr: Keeps boxes whose score is above this.
        nms_thr: Keeps only the better of two boxes whose IoU is above this; 1 keeps
            both.

    Raises:
        UserError: If a setting is out of range.
    """

    score_thr: float = 0.3
    nms_thr: float = 0.3

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ('score_thr', 0 <= self.score_thr < 1, 'at least 0 and less than 1'),
            ('nms_thr', 0 < self.nms_thr <= 1, 'greater than 0 and at most 1'),
        ):
            if not valid:
                raise UserError(
                    f'`{name}` is {getattr(self, name)}: it must be {expected}'
                )

    def __call__(self, boxes: np.ndarray, width: int, height: int) -> list[list[float]]:
        """Selects boxes of one image.

        Args:
            boxes: (N, 5) of x1, y1, x2, y2 in pixels, and score.
            width: Width of the image.
            height: Height of the image.

        Returns:
            x, y, width, height, and score of each person, clipped to the image and
            rounded.
        """
        boxes = boxes[boxes[:, 4] > self.score_thr].astype(np.float64)
        boxes = boxes[nms(boxes, self.nms_thr)]
        corners = boxes[:, :4].reshape(-1, 2, 2).clip(0, (width, height)).round(2)
        sizes = corners[:, 1] - corners[:, 0]
        people = np.hstack([corners[:, 0], sizes.round(2), boxes[:, 4:].round(4)])
        return people[sizes.min(axis=1) > 0].tolist()
