"""Images, and a fake detector that finds people in them."""

import copy
from collections.abc import Sequence

import numpy as np


class FakeDetector:
    """Finds one person, side by side, for each 60 of the image's mean green.

    Their scores are 0.9, 0.8, ... and their boxes are 10 by 20 pixels. Call number
    ``fail_at``, from 1, raises an error.
    """

    def __init__(self, fail_at: int | None = None) -> None:
        self.facts = dict(config='fake.py', weights='fake.pth')
        self.batches: list[list[int]] = []
        self.fail_at = fail_at

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        if len(self.batches) + 1 == self.fail_at:
            raise RuntimeError('killed')
        # Red identifies the images.
        self.batches.append([round(image[..., 2].mean() / 10) for image in images])
        found = []
        for image in images:
            left = 12.0 * np.arange(round(image[..., 1].mean() / 60))
            scores = 0.9 - np.arange(len(left)) / 10
            top = np.zeros_like(left)
            found.append(np.column_stack([left, top, left + 10, top + 20, scores]))
        return found

    @property
    def seen(self) -> list[int]:
        return [image for batch in self.batches for image in batch]


def make_image(
    number: int, people: int, size: tuple[int, int] = (64, 48)
) -> np.ndarray:
    """An image with people for :class:`FakeDetector`; the size is (width, height)."""
    width, height = size
    return np.full((height, width, 3), (0, 60 * people, 10 * number), np.uint8)


def without_run(content: dict) -> dict:
    """The content of a file without the date and the command."""
    content = copy.deepcopy(content)
    for name in ('date', 'command'):
        del content['info'][name]
    return content
