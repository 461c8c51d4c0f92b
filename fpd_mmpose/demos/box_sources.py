"""Where the people of an image are."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fpd_mmpose.detection import PersonDetector, Selection
from fpd_mmpose.inputs import check_boxes


class PersonBoxes:
    """Boxes from a detector, or the whole image as the box of one person.

    Args:
        detector (PersonDetector, optional): Defaults to ``None``: the whole image.
        selection (Selection, optional): Which of the detector's boxes are kept.
            Defaults to ``None``: as MMPose's inferencer.
    """

    def __init__(
        self,
        detector: PersonDetector | None = None,
        selection: Selection | None = None,
    ) -> None:
        self.detector = detector
        self.selection = selection or Selection()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Finds the people of an image.

        Args:
            image (np.ndarray): BGR, uint8 (H, W, 3).

        Returns:
            np.ndarray: ``x1, y1, x2, y2`` in pixels, float32 (N, 4), best first; N is
            0 where the detector finds nobody.

        Raises:
            ValueError: If the detector cannot be used. One line.
        """
        if self.detector is None:
            return check_boxes(None, image.shape)
        height, width = image.shape[:2]
        with _options_of_the_demos():
            (found,) = self.detector([image])
        people, _, _ = self.selection(found, width, height)
        boxes = np.array(people, np.float32).reshape(-1, 5)[:, :4]
        boxes[:, 2:] += boxes[:, :2]
        return boxes


def person_boxes(
    config: str | None,
    checkpoint: str | None = None,
    device: str | None = None,
    score_thr: float = 0.3,
) -> PersonBoxes:
    """Makes what the options of a demo ask for.

    Args:
        config (str, optional): Of a detector of mmdet, or its model name; ``None``
            takes whole images.
        checkpoint (str, optional): Its weights, where the model's name does not say.
        device (str, optional): A device of PyTorch.
        score_thr (float): Scores of boxes must be above it. Defaults to 0.3.

    Returns:
        PersonBoxes: Its network is built when the first image comes.

    Raises:
        ValueError: If something is missing or does not fit. One line.
    """
    if config is None:
        if checkpoint is not None:
            raise ValueError('--det-checkpoint needs --det-config, the network of it')
        return PersonBoxes()
    if not 0 <= score_thr < 1:
        raise ValueError(f'--bbox-thr is {score_thr}: it must be 0 or more and below 1')
    with _options_of_the_demos():
        detector = PersonDetector(config, checkpoint, device)
    return PersonBoxes(detector, Selection(score_thr=score_thr))


@contextmanager
def _options_of_the_demos() -> Iterator[None]:
    # The detector's advice names the options of tools/data/detect_people.py.
    try:
        yield
    except ValueError as error:
        text = str(error).replace('`config`', '--det-config')
        raise ValueError(text.replace('`weights`', '--det-checkpoint')) from error
