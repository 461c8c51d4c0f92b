"""Drawing of a dressed person, far parts first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .brush import CIRCLE, Brush, vary
from .head import Head
from .outfit import Outfit
from .skeleton import ARM_CHAINS, LEG_CHAINS, PELVIS, THORAX, UPPER_NECK, Skeleton

# Torso outline from the crotch up: height in torso lengths, then the
# half-width in half-widths of the shoulders, then the half-depth in units.
_PROFILE = np.array(
    [
        (-0.16, 0.52, 0.052),
        (0.0, 0.80, 0.066),
        (0.16, 0.79, 0.062),
        (0.42, 0.68, 0.052),
        (0.75, 0.90, 0.064),
        (0.96, 0.98, 0.048),
        (1.07, 0.55, 0.032),
    ]
)
# Radii in units: at the hip, the knee and the ankle; shoulder, elbow, wrist.
_LEG_RADII = (0.047, 0.034, 0.023)
_ARM_RADII = (0.031, 0.024, 0.018)


class Figure:
    """Draws one person.

    Args:
        brush: Draws on the canvas.
        skeleton: The placed skeleton.
        outfit: What the person looks like.
    """

    def __init__(self, brush: Brush, skeleton: Skeleton, outfit: Outfit):
        self.brush, self.skeleton, self.outfit = brush, skeleton, outfit
        self.head = Head(brush, skeleton, outfit)

    def draw(self) -> None:
        """Draw the whole person."""
        points = self.skeleton.points
        torso = float(points[[PELVIS, THORAX]].mean(0)[2])
        # (depth, what to draw): the sort is what hides limbs behind the body.
        parts = [(torso - 0.02, self.head.draw_behind), (torso, self._torso)]
        neck = float(points[UPPER_NECK, 2]) + 0.02
        parts.append((neck, self.head.draw))
        parts.append((max(torso + 1e-3, neck - 0.05), self._neck))
        garment = self.outfit.garment
        for i in range(2):
            # The hip belongs under the shirt unless the leg comes forward, and
            # an arm at the body's side is seen before it from either side.
            parts += self._limb_parts(i, LEG_CHAINS[i], -0.045, torso, self._leg)
            parts += self._limb_parts(i, ARM_CHAINS[i], 0.03, torso, self._arm)
        if garment == 'skirt':
            depth = points[[1, 2, 3, 4], 2].mean()
            parts.append((max(float(depth), torso - 0.01), self._skirt))
        for _, part in sorted(parts, key=lambda part: part[0]):
            part()

    def _limb_parts(
        self,
        side: int,
        chain: tuple[int, int, int],
        bias: float,
        torso: float,
        paint: Callable[[int, float, float], None],
    ) -> list[tuple[float, Callable[[], None]]]:
        """Give the depths and the painters of one limb, in one piece or two."""
        points = self.skeleton.points[list(chain)]
        upper, lower = ((points[:-1, 2] + points[1:, 2]) / 2 + bias).tolist()
        first, second = np.diff(self.skeleton.project(points), axis=0)
        # A limb that is folded, or that passes round the body, needs two pieces.
        straight = first @ second > 0.2 * np.linalg.norm(first) * np.linalg.norm(second)
        if straight and (upper > torso) == (lower > torso):
            return [((upper + lower) / 2, lambda: paint(side, 0.0, 2.0))]
        return [
            (upper, lambda: paint(side, 0.0, 1.0)),
            (lower, lambda: paint(side, 1.0, 2.0)),
        ]

    def _sections(
        self, heights: Sequence[float], grow: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the (N, 16, 3) outlines of the torso and their (N, 3) middles."""
        s, body = self.skeleton, self.skeleton.body
        at = np.asarray(heights, float)
        width, depth = (np.interp(at, _PROFILE[:, 0], _PROFILE[:, i]) for i in (1, 2))
        bend = np.clip(at, 0, 1)[:, None]
        axes = (1 - bend[..., None]) * s.hip_axes + bend[..., None] * s.chest_axes
        left, up, forward = np.moveaxis(axes, 2, 0)
        # The spine leaves the pelvis upright and bends into the chest's lean.
        base = 0.5 * s.hip_axes[:, 1] * body.torso
        middles = 2 * bend * (1 - bend) * base + bend**2 * s.points[THORAX]
        middles += (at[:, None] - bend) * up * body.torso
        thick = grow * (0.75 + 0.25 * body.girth)
        left = left * (width * body.shoulders * thick)[:, None]
        forward = forward * (depth * thick)[:, None]
        rings = CIRCLE[:, :1] * left[:, None] + CIRCLE[:, 1:] * forward[:, None]
        return middles[:, None] + rings, middles

    def _trunk(
        self, heights: tuple[float, ...], color: np.ndarray, grow: float
    ) -> None:
        rings, middles = self._sections(heights, grow)
        centres = self.skeleton.project(middles)
        self.brush.volume(
            centres, self.skeleton.project(rings) - centres[:, None], color
        )

    def _torso(self) -> None:
        outfit = self.outfit
        loose = 0.5 + 0.5 * outfit.loose

        def shirt() -> None:
            bottom = 0.1 if outfit.tucked else -0.05
            self._trunk((bottom, 0.2, 0.42, 0.75, 0.96, 1.07), outfit.shirt, loose)
            self._pattern(max(bottom, 0.1), loose)

        def trousers() -> None:
            self._trunk((-0.16, 0.0, 0.16), outfit.bottom, loose)
            if outfit.tucked:
                self._stroke(0.15, loose, 1.5, vary(outfit.bottom, 0.5))

        for part in (shirt, trousers) if outfit.tucked else (trousers, shirt):
            part()

    def _visible(self, height: float, grow: float) -> np.ndarray:
        """Give the (N, 2) pixels of the visible half of a section."""
        (ring,), (middle,) = self._sections([height], grow)
        near = ring[:, 2] >= middle[2]
        # Begin at the first visible point after a hidden one, so that the
        # visible half is one piece.
        start = int(np.argmax(near & ~np.roll(near, 1)))
        return self.skeleton.project(np.roll(ring, -start, 0)[np.roll(near, -start)])

    def _stroke(
        self, height: float, grow: float, width: float, color: np.ndarray
    ) -> None:
        self.brush.line(self._visible(height, grow * 0.97), width, color)

    def _pattern(self, bottom: float, grow: float) -> None:
        """Draw the shirt's pattern, and the collar where it is in front."""
        outfit, kind = self.outfit, self.outfit.pattern
        length = self.skeleton.scale * self.skeleton.body.torso
        if kind == 'stripes':
            for height in np.arange(bottom, 0.95, 0.14):
                self._stroke(height, grow, 0.055 * length, outfit.accent)
        elif kind == 'block':
            self._trunk((0.62, 0.75, 0.96, 1.07), outfit.accent, grow)
        elif kind in ('pinstripes', 'dots'):
            heights = np.linspace(bottom, 0.93, 7)
            rings, middles = self._sections(heights, 0.97 * grow)
            near = rings[:, :, 2] > middles[:, None, 2]
            pixels = self.skeleton.project(rings)
            if kind == 'dots':
                for dot in pixels[::2, ::2][near[::2, ::2]]:
                    self.brush.disc(dot, 0.04 * length, outfit.accent)
            else:
                for i in np.flatnonzero(near.all(0)):
                    self.brush.line(pixels[:, i], 0.02 * length, outfit.accent)
        forward = self.skeleton.chest_axes[:, 2]
        if forward[2] < 0.2:
            return
        # Point 4 of a section is the middle of the front.
        rings, _ = self._sections((1.07, 1.0 - outfit.neckline, 0.68), grow)
        if kind == 'print':
            self.brush.polygon(
                self.skeleton.project(rings[2, 4])
                + CIRCLE * (0.13 * length * max(0.4, forward[2]), 0.13 * length),
                outfit.accent,
            )
        collar = rings[(0, 1, 0), (2, 4, 6)]
        self.brush.polygon(self.skeleton.project(collar), vary(outfit.skin, 0.9))

    def _neck(self) -> None:
        s, points = self.skeleton, self.skeleton.points
        bottom = points[THORAX] + 0.01 * s.chest_axes[:, 1]
        top = points[UPPER_NECK] + 0.25 * s.body.head * s.head_axes[:, 1]
        radius = s.pixels(0.030 * s.body.girth**0.5, bottom)
        self.brush.capsule(
            s.project(np.stack([bottom, top])),
            (radius, radius),
            vary(self.outfit.skin, 0.88),
        )

    def _leg(self, side: int, start: float, stop: float) -> None:
        outfit = self.outfit
        if stop == 2:
            self._foot(side)
        covered = 0.0 if outfit.garment == 'skirt' else 2 * outfit.hem
        self._limb(LEG_CHAINS[side], _LEG_RADII, (start, stop), covered, outfit.bottom)

    def _arm(self, side: int, start: float, stop: float) -> None:
        outfit = self.outfit
        if stop == 2:
            self._hand(side)
        self._limb(
            ARM_CHAINS[side], _ARM_RADII, (start, stop), 2 * outfit.sleeve, outfit.shirt
        )

    def _limb(
        self,
        chain: tuple[int, int, int],
        radii: tuple[float, ...],
        reach: tuple[float, float],
        covered: float,
        color: np.ndarray,
    ) -> None:
        """Draw a limb or a part of it, with its clothes.

        Args:
            chain: Rows of its three keypoints.
            radii: At the three keypoints, in units.
            reach: Drawn part, where 0, 1 and 2 are the keypoints.
            covered: Where the clothes end, in the same measure.
            color: Of the clothes.
        """
        points = self.skeleton.points[list(chain)]
        start, stop = reach
        end = min(covered, stop)
        if end < stop:
            self._tube(points, radii, (start, stop), 1.0, self.outfit.skin)
        if end > start:
            self._tube(points, radii, (start, end), self.outfit.loose, color)

    def _tube(
        self,
        points: np.ndarray,
        radii: tuple[float, ...],
        reach: tuple[float, float],
        loose: float,
        color: np.ndarray,
    ) -> None:
        s, knots = self.skeleton, (0.0, 1.0, 2.0)
        # The places at a third of each bone carry the bulge of the muscle.
        inner = [u for u in (0.35, 1.0, 1.35) if reach[0] < u < reach[1]]
        at = np.array([reach[0], *inner, reach[1]])
        middle = np.stack([np.interp(at, knots, points[:, i]) for i in range(3)], 1)
        sizes = np.interp(at, knots, radii) * s.body.girth * loose
        sizes *= np.where(np.isin(at, (0.35, 1.35)), 1.07, 1.0)
        if loose > 1:
            sizes[-1] *= 1.1
        sizes *= s.scale * (1 + s.perspective * middle[:, 2])
        self.brush.capsule(s.project(middle), sizes, color)

    def _foot(self, side: int) -> None:
        s = self.skeleton
        ankle, toe = s.points[LEG_CHAINS[side][2]], s.toes[side]
        knee = s.points[LEG_CHAINS[side][1]]
        down = (ankle - knee) / np.linalg.norm(ankle - knee)
        sole = ankle + 0.022 * down
        heel = sole - 0.25 * (toe - ankle)
        size = s.pixels(0.024 * s.body.girth**0.5, ankle)
        self.brush.capsule(
            s.project(np.stack([ankle, heel, sole, toe])),
            (size, size, 1.05 * size, 0.75 * size),
            self.outfit.shoe,
        )

    def _hand(self, side: int) -> None:
        s = self.skeleton
        wrist, tip = s.points[ARM_CHAINS[side][2]], s.fingers[side]
        size = s.pixels(0.019 * s.body.girth**0.5, wrist)
        self.brush.capsule(
            s.project(np.stack([wrist, 0.5 * wrist + 0.5 * tip, tip])),
            (0.8 * size, 1.1 * size, 0.55 * size),
            self.outfit.skin,
        )

    def _skirt(self) -> None:
        s, outfit = self.skeleton, self.outfit
        reach = min(1.0, 2 * outfit.hem)
        rings = [s.project(self._sections([0.02], 1.04)[0][0])]
        for hip, knee, _ in LEG_CHAINS:
            hem = s.points[hip] + reach * (s.points[knee] - s.points[hip])
            radius = s.pixels(0.052 * outfit.loose * s.body.girth, hem)
            rings.append(s.project(hem) + radius * CIRCLE)
        outline = np.concatenate(rings)
        self.brush.hull(outline, vary(outfit.bottom, 0.7))
        middle = outline.mean(0)
        shift = 0.03 * np.ptp(outline, axis=0).max() * self.brush.light
        self.brush.hull(middle + 0.86 * (outline - middle) + shift, outfit.bottom)
        pleats = (rings[0][::5], rings[1][::5], rings[2][::5])
        for top, right, left in zip(*pleats, strict=True):
            hem = (right + left) / 2
            self.brush.line(
                np.stack([0.7 * top + 0.3 * middle, hem]), 0.5, vary(outfit.bottom, 0.8)
            )
