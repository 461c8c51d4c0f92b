"""Finds the boxes of the people in an image."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fpd_mmpose.detection import PersonDetector, Selection
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import check_boxes


class BoxSource:
    """Boxes from a detector, or the whole image as the box of one person."""

    def __init__(
        self,
        detector: PersonDetector | None = None,
        selection: Selection | None = None,
    ) -> None:
        self.detector = detector
        self.selection = selection or Selection()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Returns x1, y1, x2, y2 in pixels, float32 (N, 4), best first; N can be 0."""
        if self.detector is None:
            return check_boxes(None, image.shape)
        height, width = image.shape[:2]
        with _errors_of_detector():
            (found,) = self.detector([image])
        people = self.selection(found, width, height)
        boxes = np.array(people, np.float32).reshape(-1, 5)[:, :4]
        boxes[:, 2:] += boxes[:, :2]
        return boxes


def person_boxes(
    config: str | None,
    checkpoint: str | None = None,
    device: str = 'auto',
    score_thr: float = 0.3,
) -> BoxSource:
    """Sets up a detector of MMDetection, or whole images without a config.

    See :class:`PersonDetector`, which is built for the first image.
    """
    with _errors_of_detector():
        if config is not None:
            detector = PersonDetector(config, checkpoint, device)
            return BoxSource(detector, Selection(score_thr=score_thr))
        if checkpoint is not None:
            raise UserError('`checkpoint` needs the `config` of its network')
    return BoxSource()


@contextmanager
def _errors_of_detector() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f'detector: {error}') from error
