"""Selection of detected boxes."""

from dataclasses import dataclass

import numpy as np
from mmpose.evaluation.functional import nms

from fpd_mmpose.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Selects boxes of people, best first, as MMPose's inferencer does by default.

    Args:
        score_thr: Keeps boxes whose score is above this.
        nms_thr: Keeps only the better of two boxes whose IoU is above this; 1 keeps
            both.
        min_size: Keeps boxes whose shorter side inside the image has at least this many
            pixels. Boxes outside of the image are always dropped.
        max_people: Keeps at most this many people per image; None for any number.

    Raises:
        UserError: If a setting is out of range.
    """

    score_thr: float = 0.3
    nms_thr: float = 0.3
    min_size: float = 0.0
    max_people: int | None = None

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ('score_thr', 0 <= self.score_thr < 1, 'at least 0 and less than 1'),
            ('nms_thr', 0 < self.nms_thr <= 1, 'greater than 0 and at most 1'),
            ('min_size', self.min_size >= 0, '0 or more'),
            ('max_people', self.max_people is None or self.max_people > 0, '1 or more'),
        ):
            if not valid:
                raise UserError(
                    f'`{name}` is {getattr(self, name)}: it must be {expected}'
                )

    def __call__(
        self, boxes: np.ndarray, width: int, height: int
    ) -> tuple[list[list[float]], int, int]:
        """Selects boxes of one image.

        Args:
            boxes: (N, 5) of x1, y1, x2, y2 in pixels, and score.
            width: Width of the image.
            height: Height of the image.

        Returns:
            x, y, width, height, and score of each person, clipped to the image and
            rounded; the number of boxes that were too small; and the number of people
            beyond ``max_people``.
        """
        boxes = boxes[boxes[:, 4] > self.score_thr].astype(np.float64)
        boxes = boxes[nms(boxes, self.nms_thr)]
        corners = boxes[:, :4].reshape(-1, 2, 2).clip(0, (width, height)).round(2)
        sizes = corners[:, 1] - corners[:, 0]
        shorter = sizes.min(axis=1)
        large = (shorter > 0) & (shorter >= self.min_size)
        people = np.hstack([corners[:, 0], sizes.round(2), boxes[:, 4:].round(4)])
        people = people[large]
        kept = people[: self.max_people].tolist()
        return kept, int((~large).sum()), len(people) - len(kept)
