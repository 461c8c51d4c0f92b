"""A whole picture: background, people, occluders, light and camera noise."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from .brush import SUPERSAMPLING, Brush, vary
from .figure import Figure
from .outfit import Outfit, random_color
from .props import draw_clutter, draw_occluder, draw_seat
from .skeleton import HEAD_TOP, Skeleton, sample_skeleton

SPLITS = ('train', 'val')
MIN_SIZE = 64
# The reader enlarges MPII's box by 1.25, which leaves 12 % round the person.
PIXEL_STD = 200.0
_MIN_INSIDE = 10


@dataclasses.dataclass(frozen=True)
class PersonSample:
    """A picture of one labelled person, in 0-based pixels.

    Attributes:
        image: (size, size, 3) uint8 BGR.
        joints: (16, 2) float keypoints in MPII's order.
        visible: (16,) bool, True where the keypoint lies within the picture; a
            keypoint hidden behind something counts as visible.
        head_box: (2, 2) upper left and lower right corner of the drawn head.
        center: (2,) centre of the box round the part of the person in the picture.
        scale: Longer side of that box, divided by 200.
        from_behind: Whether the chest faces away from the camera.
    """

    image: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    head_box: np.ndarray
    center: np.ndarray
    scale: float
    from_behind: bool


def person_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """Give the source of randomness of one person.

    Args:
        seed: Non-negative seed of the data set.
        split: ``'train'`` or ``'val'``.
        index: Non-negative number of the person in its split.

    Returns:
        A generator that depends on the three arguments alone.

    Raises:
        ValueError: If an argument is outside the values above.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
    if seed < 0 or index < 0:
        raise ValueError(f'seed and index must be 0 or more, got {seed} and {index}')
    return np.random.default_rng((seed, SPLITS.index(split), index))


def draw_person(seed: int, split: str, index: int, size: int = 200) -> PersonSample:
    """Draw person ``index`` of a split, always with the same pixels.

    Args:
        seed: Non-negative seed of the data set.
        split: ``'train'`` or ``'val'``.
        index: Non-negative number of the person in its split.
        size: Side of the square picture in pixels, 64 or more.

    Returns:
        The picture and its annotation.

    Raises:
        ValueError: If an argument is outside the values above.
    """
    if size < MIN_SIZE:
        raise ValueError(f'size must be {MIN_SIZE} or more, got {size}')
    rng = person_generator(seed, split, index)
    skeleton, joints, visible = _place(rng, size)
    side = SUPERSAMPLING * size
    angle = rng.uniform(-np.pi, 0)
    canvas = cv2.resize(_backdrop(rng, size), (side, side))
    brush = Brush(canvas, np.array([np.cos(angle), np.sin(angle)]))
    draw_clutter(rng, brush, size)
    if rng.random() < 0.1:
        _distractor(rng, brush, size, skeleton)
    if skeleton.pose == 'sit':
        draw_seat(rng, brush, skeleton)
    figure = Figure(brush, skeleton, Outfit.sample(rng))
    figure.draw()
    if rng.random() < 0.25:
        draw_occluder(rng, brush, skeleton)
    image = cv2.resize(brush.canvas, (size, size), interpolation=cv2.INTER_AREA)

    low, high = np.clip(skeleton.extent(), -0.5, size - 0.5)
    return PersonSample(
        image=_photograph(rng, image),
        joints=joints,
        visible=visible,
        head_box=figure.head.box(),
        center=(low + high) / 2,
        scale=float((high - low).max() / PIXEL_STD),
        from_behind=bool(skeleton.chest_axes[2, 2] < 0),
    )


def _place(
    rng: np.random.Generator, size: int
) -> tuple[Skeleton, np.ndarray, np.ndarray]:
    """Draw a skeleton and a place for it that keeps most keypoints inside."""
    skeleton = sample_skeleton(rng)
    length = rng.uniform(0.5, 0.9) * size
    cut = rng.random() < 0.06
    while True:
        # A person within the frame keeps a little distance from its border.
        room = size * 0.36 if cut else (0.98 * size - length) / 2
        centre = (size - 1) / 2 + rng.uniform(-room, room, 2)
        placed = skeleton.placed(length, centre)
        joints = placed.joints
        visible = ((joints >= 0) & (joints <= size - 1)).all(1)
        if visible.sum() >= _MIN_INSIDE and visible[HEAD_TOP]:
            return placed, joints, visible


def _backdrop(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a wall and a floor with gradients and blotches."""
    wall = [random_color(rng, (0.0, 0.2), (0.35, 0.95)) for _ in range(2)]
    floor = [vary(random_color(rng, (0.0, 0.2), (0.3, 0.9)), f) for f in (0.8, 1)]
    horizon = rng.uniform(0.45, 1.05)
    t = np.linspace(0, 1, size)[:, None, None]
    rows = np.where(
        t < horizon,
        wall[0] + (wall[1] - wall[0]) * t,
        floor[0] + (floor[1] - floor[0]) * (t - horizon),
    )
    # Blotches are drawn coarse and enlarged, from soft to pebbly.
    cells = int(rng.choice([4, 8, 16, 40]))
    blotch = rng.normal(0, rng.uniform(2, 14), (cells, cells, 1))
    blotch = blotch + rng.normal(0, 4, (cells, cells, 3))
    blotch = cv2.resize(blotch.astype(np.float32), (size, size))
    blotch += rows.astype(np.float32)
    return np.clip(blotch, 0, 255, out=blotch).astype(np.uint8)


def _distractor(
    rng: np.random.Generator, brush: Brush, size: int, person: Skeleton
) -> None:
    """Draw a second, smaller person to the side that has more room."""
    low, high = person.extent()
    length = rng.uniform(0.4, 0.65) * (high - low).max()
    side = -1 if low[0] > size - high[0] else 1
    edge = high[0] if side > 0 else low[0]
    centre = np.array(
        [
            edge + side * rng.uniform(0.0, 0.4) * length,
            (low[1] + high[1]) / 2 + rng.uniform(-0.15, 0.2) * size,
        ]
    )
    other = sample_skeleton(rng).placed(length, centre)
    Figure(brush, other, Outfit.sample(rng)).draw()


def _photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Apply uneven light, blur, sensor noise and, at times, JPEG artefacts."""
    size = len(image)
    gain = (rng.uniform(0.72, 1.15) * rng.normal(1, 0.05, 3)).astype(np.float32)
    slope = rng.normal(0, 0.1, 2)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    light = (1 + slope[0] * ramp[:, None] + slope[1] * ramp).astype(np.float32)
    picture = cv2.multiply(image, gain * light[:, :, None], dtype=cv2.CV_32F)
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.9))
    noise = rng.standard_normal((size, size, 1), dtype=np.float32)
    picture += noise * np.float32(rng.uniform(0.5, 7))
    image = np.clip(picture, 0, 255, out=picture).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(45, 85))
        _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return image
