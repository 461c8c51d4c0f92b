"""Which of a detector's boxes are kept."""

from dataclasses import dataclass

import numpy as np
from mmpose.evaluation.functional import nms


@dataclass(frozen=True)
class Selection:
    """Keeps boxes of people, best first, as MMPose's inferencer does.

    Attributes:
        score_thr (float): Scores must be above it. Defaults to 0.3.
        nms_thr (float): Of two boxes whose IoU is above it, the better one is kept;
            1 keeps both. Defaults to 0.3.
        min_size (float): The least shorter side in pixels, within the image.
            Defaults to 0, which drops only boxes outside of the image.
        max_people (int, optional): The most people of an image. Defaults to
            ``None``: any number.

    Raises:
        ValueError: If a setting is out of range. One line.
    """

    score_thr: float = 0.3
    nms_thr: float = 0.3
    min_size: float = 0.0
    max_people: int | None = None

    def __post_init__(self) -> None:
        for name, right, expected in (
            ('score_thr', 0 <= self.score_thr < 1, '0 or more and less than 1'),
            ('nms_thr', 0 < self.nms_thr <= 1, 'more than 0 and not more than 1'),
            ('min_size', self.min_size >= 0, '0 or more'),
            ('max_people', self.max_people is None or self.max_people > 0, '1 or more'),
        ):
            if not right:
                raise ValueError(
                    f'`{name}` is {getattr(self, name)}: it must be {expected}'
                )

    def __call__(
        self, boxes: np.ndarray, width: int, height: int
    ) -> tuple[list[list[float]], int, int]:
        """Selects boxes of one image.

        Args:
            boxes (np.ndarray): (x1, y1, x2, y2, score) in pixels, shape (n, 5).
            width (int): Of the image.
            height (int): Of the image.

        Returns:
            tuple: (x, y, w, h, score) of the people, clipped to the image and
            rounded; how many more were too small; and how many too many.
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
