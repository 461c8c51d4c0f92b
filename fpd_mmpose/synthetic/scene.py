"""Draws a whole image: background, people, occluders, light, and camera noise."""

from dataclasses import dataclass

import cv2
import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import PIXELS_PER_SCALE
from fpd_mmpose.synthetic.brush import SUPERSAMPLING, Brush, scale_color
from fpd_mmpose.synthetic.figure import Figure
from fpd_mmpose.synthetic.outfit import Outfit, random_color
from fpd_mmpose.synthetic.props import draw_clutter, draw_occluder, draw_seat
from fpd_mmpose.synthetic.skeleton import HEAD_TOP, Skeleton, sample_skeleton

SPLITS = ('train', 'val')
MIN_SIZE = 64
_MIN_INSIDE = 10


@dataclass(frozen=True)
class PersonSample:
    """An image of one annotated person, in 0-based pixels."""

    image: np.ndarray  # (size, size, 3) uint8 BGR
    joints: np.ndarray  # (16, 2) keypoints in MPII's order
    visible: np.ndarray  # (16,) bool: inside the image, even if something covers it
    head_box: np.ndarray  # (2, 2) corners of the drawn head
    center: np.ndarray  # (2,), of the box around the part of the person in the image
    scale: float  # longer side of that box, divided by 200
    from_behind: bool  # whether the chest faces away from the camera


def draw_person(seed: int, split: str, index: int, size: int = 200) -> PersonSample:
    """Draws a person of a dataset's split in a square image of ``size`` pixels.

    The same arguments always give the same pixels.
    """
    if split not in SPLITS:
        raise UserError(f'`split` must be {" or ".join(SPLITS)}, got {split!r}')
    if seed < 0 or index < 0:
        raise UserError(f'`seed` and `index` must be 0 or more, got {seed} and {index}')
    if size < MIN_SIZE:
        raise UserError(f'`size` must be {MIN_SIZE} or more, got {size}')
    rng = np.random.default_rng((seed, SPLITS.index(split), index))
    skeleton, joints, visible = _place(rng, size)
    side = SUPERSAMPLING * size
    angle = rng.uniform(-np.pi, 0)
    canvas = cv2.resize(_backdrop(rng, size), (side, side))
    brush = Brush(canvas, np.array([np.cos(angle), np.sin(angle)]))
    draw_clutter(rng, brush, size)
    if rng.random() < 0.1:
        _draw_bystander(rng, brush, size, skeleton)
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
        scale=float((high - low).max() / PIXELS_PER_SCALE),
        from_behind=bool(skeleton.chest_axes[2, 2] < 0),
    )


def _place(
    rng: np.random.Generator, size: int
) -> tuple[Skeleton, np.ndarray, np.ndarray]:
    """Draws a skeleton, its keypoints, and which of them are inside the image."""
    skeleton = sample_skeleton(rng)
    length = rng.uniform(0.5, 0.9) * size
    cropped = rng.random() < 0.06
    # People inside the image keep a small distance from its border.
    room = size * 0.36 if cropped else (0.98 * size - length) / 2
    while True:
        center = (size - 1) / 2 + rng.uniform(-room, room, 2)
        placed = skeleton.placed(length, center)
        joints = placed.joints
        visible = np.all((joints >= 0) & (joints <= size - 1), axis=1)
        if visible.sum() >= _MIN_INSIDE and visible[HEAD_TOP]:
            return placed, joints, visible


def _backdrop(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draws a wall and a floor with gradients and blotches."""
    wall = [random_color(rng, (0.0, 0.2), (0.35, 0.95)) for _ in range(2)]
    floor = [
        scale_color(random_color(rng, (0.0, 0.2), (0.3, 0.9)), f) for f in (0.8, 1)
    ]
    horizon = rng.uniform(0.45, 1.05)
    t = np.linspace(0, 1, size)[:, None, None]
    rows = np.where(
        t < horizon,
        wall[0] + (wall[1] - wall[0]) * t,
        floor[0] + (floor[1] - floor[0]) * (t - horizon),
    )
    # Blotches are drawn small and then enlarged, from soft to pebbly.
    cells = int(rng.choice([4, 8, 16, 40]))
    blotch = rng.normal(0, rng.uniform(2, 14), (cells, cells, 1))
    blotch = blotch + rng.normal(0, 4, (cells, cells, 3))
    blotch = cv2.resize(blotch.astype(np.float32), (size, size))
    blotch += rows.astype(np.float32)
    return np.clip(blotch, 0, 255, out=blotch).astype(np.uint8)


def _draw_bystander(
    rng: np.random.Generator, brush: Brush, size: int, person: Skeleton
) -> None:
    """Draws a second, smaller person on the side that has more room."""
    low, high = person.extent()
    length = rng.uniform(0.4, 0.65) * (high - low).max()
    side = -1 if low[0] > size - high[0] else 1
    edge = high[0] if side > 0 else low[0]
    center = np.array(
        [
            edge + side * rng.uniform(0.0, 0.4) * length,
            (low[1] + high[1]) / 2 + rng.uniform(-0.15, 0.2) * size,
        ]
    )
    other = sample_skeleton(rng).placed(length, center)
    Figure(brush, other, Outfit.sample(rng)).draw()


def _photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Applies uneven light, blur, sensor noise, and sometimes JPEG artifacts."""
    size = len(image)
    gain = (rng.uniform(0.72, 1.15) * rng.normal(1, 0.05, 3)).astype(np.float32)
    slope = rng.normal(0, 0.1, 2)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    light = (1 + slope[0] * ramp[:, None] + slope[1] * ramp).astype(np.float32)
    lit = cv2.multiply(image, gain * light[:, :, None], dtype=cv2.CV_32F)
    if rng.random() < 0.4:
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 0.9))
    noise = rng.standard_normal((size, size, 1), dtype=np.float32)
    lit += noise * np.float32(rng.uniform(0.5, 7))
    image = np.clip(lit, 0, 255, out=lit).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(45, 85))
        _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
    return image
