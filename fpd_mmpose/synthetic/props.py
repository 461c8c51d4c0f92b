"""Things round the people: clutter, seats and what stands in front."""

from __future__ import annotations

import numpy as np

from .brush import CIRCLE, Brush, vary
from .outfit import Outfit, random_color
from .skeleton import HEAD_TOP, PELVIS, THORAX, Skeleton


def draw_clutter(rng: np.random.Generator, brush: Brush, size: int) -> None:
    """Draw shapes, furniture and bars that look like limbs.

    Args:
        rng: Source of randomness.
        brush: Draws on the canvas.
        size: Side of the picture in pixels.
    """
    kinds = ('box', 'disc', 'triangle', 'line', 'shelf', 'frame', 'limb', 'plant')
    for kind in rng.choice(kinds, rng.integers(2, 8)):
        where = rng.uniform(-0.05, 1.05, 2) * size
        reach = rng.uniform(0.04, 0.22, 2) * size
        color = random_color(rng, (0.0, 0.35), (0.3, 0.95))
        if kind == 'box':
            _slab(brush, where, reach, color, rng.normal(0, 0.2))
        elif kind == 'disc':
            brush.disc(where, reach[0] * 0.7, color)
        elif kind == 'triangle':
            brush.polygon(where + rng.uniform(-1, 1, (3, 2)) * reach, color)
        elif kind == 'line':
            brush.line(
                where + rng.uniform(-1, 1, (2, 2)) * 0.6 * size,
                rng.uniform(0.5, 5),
                color,
            )
        elif kind == 'shelf':
            for i in range(int(rng.integers(2, 5))):
                row = where + (0, i * 0.07 * size)
                _slab(brush, row, (reach[0] + 8, 0.008 * size), color, 0.0)
        elif kind == 'frame':
            _slab(brush, where, reach, color, 0.0)
            _slab(brush, where, 0.8 * reach, vary(255 - color, 0.8), 0.0)
        elif kind == 'limb':
            _false_limb(rng, brush, where, size)
        else:
            _plant(rng, brush, where, reach.mean())


def _slab(
    brush: Brush, where: np.ndarray, reach: np.ndarray, color: np.ndarray, turn: float
) -> None:
    """Fill a turned rectangle with a lit upper edge."""
    cos, sin = np.cos(turn), np.sin(turn)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * reach
    corners = corners @ np.array([(cos, sin), (-sin, cos)]) + where
    brush.polygon(corners, color)
    brush.line(corners[:2], 1.0, vary(color, 1.25))


def _false_limb(
    rng: np.random.Generator, brush: Brush, where: np.ndarray, size: int
) -> None:
    """Draw a bent, lit bar in a colour of skin or cloth: a hard negative."""
    color = (
        Outfit.sample(rng).skin
        if rng.random() < 0.5
        else random_color(rng, (0.1, 0.8), (0.2, 0.9))
    )
    steps = rng.normal(0, 0.1, (2, 2)) * size
    points = where + np.array([np.zeros(2), steps[0], steps.sum(0)])
    radius = rng.uniform(0.012, 0.03) * size
    brush.capsule(points, (radius, 0.8 * radius, 0.6 * radius), color)


def _plant(
    rng: np.random.Generator, brush: Brush, where: np.ndarray, reach: float
) -> None:
    """Draw a bunch of leaves."""
    green = np.array([rng.uniform(30, 90), rng.uniform(90, 170), rng.uniform(30, 110)])
    for _ in range(int(rng.integers(5, 11))):
        tip = where + rng.normal(0, 0.55, 2) * reach
        across = (tip - where)[::-1] * (0.22, -0.22)
        middle = (where + tip) / 2
        brush.polygon(
            np.stack([where, middle + across, tip, middle - across]),
            vary(green, rng.uniform(0.6, 1.2)),
        )


def draw_seat(rng: np.random.Generator, brush: Brush, skeleton: Skeleton) -> None:
    """Draw a stool or a bench under the pelvis.

    Args:
        rng: Source of randomness.
        brush: Draws on the canvas.
        skeleton: The person who will sit on it.
    """
    pelvis = skeleton.joints[PELVIS]
    leg = skeleton.pixels(skeleton.body.shin, skeleton.points[PELVIS])
    color = random_color(rng, (0.1, 0.7), (0.2, 0.8))
    half = leg * rng.uniform(0.45, 1.3)
    top = pelvis + (0, 0.22 * leg)
    for x in (-0.85, 0.85):
        _slab(
            brush,
            top + (x * half, 0.5 * leg),
            (0.05 * leg, 0.5 * leg),
            vary(color, 0.6),
            0.0,
        )
    _slab(brush, top, (half, 0.11 * leg), color, 0.0)


def draw_occluder(rng: np.random.Generator, brush: Brush, skeleton: Skeleton) -> None:
    """Draw something in front of one part of the body, never the head.

    Args:
        rng: Source of randomness.
        brush: Draws on the canvas.
        skeleton: The person, drawn already.
    """
    joints = skeleton.joints
    low, high = skeleton.extent()
    span = float((high - low).max())
    # Wrists, elbows, ankles, knees and hips.
    where = joints[rng.choice([0, 1, 2, 3, 4, 5, 10, 11, 14, 15])]
    where = where + rng.normal(0, 0.03, 2) * span
    # Keeps clear of the head, and so does not grow over the shoulders either.
    clear = float(np.linalg.norm(where - joints[[HEAD_TOP, THORAX]], axis=1).min())
    reach = min(rng.uniform(0.05, 0.13) * span, 0.6 * clear)
    color = random_color(rng, (0.05, 0.8), (0.2, 0.95))
    kind = rng.choice(['box', 'ball', 'pole', 'plant', 'table'])
    if kind == 'box':
        _slab(
            brush,
            where,
            (reach, reach * rng.uniform(0.5, 1.2)),
            color,
            rng.normal(0, 0.2),
        )
    elif kind == 'ball':
        for shade, grow in ((0.7, 1.0), (1.0, 0.8)):
            brush.polygon(
                where + (1 - grow) * reach * brush.light + grow * reach * CIRCLE,
                vary(color, shade),
            )
    elif kind == 'pole':
        lean = rng.normal(0, 0.1) * span
        ends = where + np.array([(lean, -0.28 * span), (-lean, 0.8 * span)])
        brush.capsule(ends, (0.03 * span, 0.03 * span), color)
    elif kind == 'plant':
        _plant(rng, brush, where, 1.3 * reach)
    else:
        for x in (-0.9, 0.9):
            _slab(
                brush,
                where + (2 * x * reach, 1.3 * reach),
                (0.12 * reach, 1.3 * reach),
                vary(color, 0.6),
                0.0,
            )
        _slab(brush, where, (2.2 * reach, 0.3 * reach), color, 0.0)
