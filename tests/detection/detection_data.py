"""Images, and a detector that knows the people in them."""

import copy
from collections.abc import Sequence

import numpy as np


class FakeDetector:
    """Finds as many people as the image's green says, side by side.

    Their scores are 0.9, 0.8, ... and their boxes 10 by 20 pixels.

    Args:
        fail_at: The call, from 1, that raises.
    """

    def __init__(self, fail_at: int | None = None) -> None:
        self.facts = dict(config='fake.py', weights='fake.pth')
        self.batches: list[list[int]] = []
        self.fail_at = fail_at

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        if len(self.batches) + 1 == self.fail_at:
            raise RuntimeError('killed')
        # Red tells the images apart.
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


def picture(number: int, people: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """An image that :class:`FakeDetector` knows, (width, height)."""
    width, height = size
    return np.full((height, width, 3), (0, 60 * people, 10 * number), np.uint8)


def without_run(content: dict) -> dict:
    """What a file holds but for when and how it was made."""
    content = copy.deepcopy(content)
    for name in ('date', 'command'):
        del content['info'][name]
    return content
