"""Things around people: clutter, seats, and occluders."""

import numpy as np
from numpy.typing import ArrayLike

from fpd_mmpose.synthetic.brush import CIRCLE, Brush, scale_color
from fpd_mmpose.synthetic.outfit import Outfit, random_color
from fpd_mmpose.synthetic.skeleton import HEAD_TOP, PELVIS, THORAX, Skeleton

_CLUTTER = ('box', 'disc', 'triangle', 'line', 'shelf', 'frame', 'limb', 'plant')


def draw_clutter(rng: np.random.Generator, brush: Brush, size: int) -> None:
    """Draws shapes, furniture, and bars that look like limbs."""
    for kind in rng.choice(_CLUTTER, rng.integers(2, 8)):
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
            ends = where + rng.uniform(-1, 1, (2, 2)) * 0.6 * size
            brush.line(ends, rng.uniform(0.5, 5), color)
        elif kind == 'shelf':
            for i in range(int(rng.integers(2, 5))):
                row = where + (0, i * 0.07 * size)
                _slab(brush, row, (reach[0] + 8, 0.008 * size), color)
        elif kind == 'frame':
            _slab(brush, where, reach, color)
            _slab(brush, where, 0.8 * reach, scale_color(255 - color, 0.8))
        elif kind == 'limb':
            _bent_bar(rng, brush, where, size)
        else:
            _plant(rng, brush, where, reach.mean())


def draw_seat(rng: np.random.Generator, brush: Brush, skeleton: Skeleton) -> None:
    """Draws a stool or a bench under the pelvis of a person yet to be drawn."""
    shin = skeleton.pixels(skeleton.body.shin, skeleton.points[PELVIS])
    color = random_color(rng, (0.1, 0.7), (0.2, 0.8))
    half = shin * rng.uniform(0.45, 1.3)
    top = skeleton.joints[PELVIS] + (0, 0.22 * shin)
    _table(
        brush,
        top,
        (half, 0.11 * shin),
        leg=(0.05 * shin, 0.5 * shin),
        spread=0.85 * half,
        color=color,
    )


def draw_occluder(rng: np.random.Generator, brush: Brush, skeleton: Skeleton) -> None:
    """Draws something in front of one part of a drawn person, never the head."""
    joints = skeleton.joints
    low, high = skeleton.extent()
    span = float((high - low).max())
    # Ankles, knees, hips, wrists, and elbows.
    where = joints[rng.choice([0, 1, 2, 3, 4, 5, 10, 11, 14, 15])]
    where = where + rng.normal(0, 0.03, 2) * span
    # Clear of the head, and so not over the shoulders either.
    clear = float(np.linalg.norm(where - joints[[HEAD_TOP, THORAX]], axis=1).min())
    reach = min(rng.uniform(0.05, 0.13) * span, 0.6 * clear)
    color = random_color(rng, (0.05, 0.8), (0.2, 0.95))
    kind = rng.choice(['box', 'ball', 'pole', 'plant', 'table'])
    if kind == 'box':
        size = (reach, reach * rng.uniform(0.5, 1.2))
        _slab(brush, where, size, color, rng.normal(0, 0.2))
    elif kind == 'ball':
        for shade, grow in ((0.7, 1.0), (1.0, 0.8)):
            brush.polygon(
                where + (1 - grow) * reach * brush.light + grow * reach * CIRCLE,
                scale_color(color, shade),
            )
    elif kind == 'pole':
        lean = rng.normal(0, 0.1) * span
        ends = where + np.array([(lean, -0.28 * span), (-lean, 0.8 * span)])
        brush.capsule(ends, (0.03 * span, 0.03 * span), color)
    elif kind == 'plant':
        _plant(rng, brush, where, 1.3 * reach)
    else:
        _table(
            brush,
            where,
            (2.2 * reach, 0.3 * reach),
            leg=(0.12 * reach, 1.3 * reach),
            spread=1.8 * reach,
            color=color,
        )


def _slab(
    brush: Brush,
    center: np.ndarray,
    half: ArrayLike,
    color: np.ndarray,
    turn: float = 0.0,
) -> None:
    """Fills a rectangle of half a width and height, with a lit upper edge."""
    cos, sin = np.cos(turn), np.sin(turn)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    corners = corners @ np.array([(cos, sin), (-sin, cos)]) + center
    brush.polygon(corners, color)
    brush.line(corners[:2], 1.0, scale_color(color, 1.25))


def _table(
    brush: Brush,
    top: np.ndarray,
    half: tuple[float, float],
    leg: tuple[float, float],
    spread: float,
    color: np.ndarray,
) -> None:
    """Draws a slab on two legs, given half their sizes, each `spread` off center."""
    for x in (-spread, spread):
        _slab(brush, top + (x, leg[1]), leg, scale_color(color, 0.6))
    _slab(brush, top, half, color)


def _bent_bar(
    rng: np.random.Generator, brush: Brush, where: np.ndarray, size: int
) -> None:
    """Draws a bent, lit bar in the color of skin or cloth: a hard negative."""
    if rng.random() < 0.5:
        color = Outfit.sample(rng).skin
    else:
        color = random_color(rng, (0.1, 0.8), (0.2, 0.9))
    steps = rng.normal(0, 0.1, (2, 2)) * size
    points = where + np.array([np.zeros(2), steps[0], steps.sum(0)])
    radius = rng.uniform(0.012, 0.03) * size
    brush.capsule(points, (radius, 0.8 * radius, 0.6 * radius), color)


def _plant(
    rng: np.random.Generator, brush: Brush, where: np.ndarray, reach: float
) -> None:
    """Draws a bunch of leaves."""
    green = np.array([rng.uniform(30, 90), rng.uniform(90, 170), rng.uniform(30, 110)])
    for _ in range(int(rng.integers(5, 11))):
        tip = where + rng.normal(0, 0.55, 2) * reach
        across = (tip - where)[::-1] * (0.22, -0.22)
        middle = (where + tip) / 2
        brush.polygon(
            np.stack([where, middle + across, tip, middle - across]),
            scale_color(green, rng.uniform(0.6, 1.2)),
        )
