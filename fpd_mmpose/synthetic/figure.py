"""Draws a dressed person, far parts first."""

from collections.abc import Callable, Sequence

import numpy as np

from fpd_mmpose.synthetic.brush import CIRCLE, Brush, scale_color
from fpd_mmpose.synthetic.head import Head
from fpd_mmpose.synthetic.outfit import Outfit
from fpd_mmpose.synthetic.skeleton import (
    ARM_CHAINS,
    LEG_CHAINS,
    PELVIS,
    THORAX,
    UPPER_NECK,
    Skeleton,
)

Chain = tuple[int, int, int]

# The torso's cross-sections from the crotch up: height in lengths of the torso, width
# in widths of the shoulders, and half the depth in units.
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
# Radii in units at the three keypoints of a limb, from the body outward.
_LEG_RADII = (0.047, 0.034, 0.023)
_ARM_RADII = (0.031, 0.024, 0.018)


class Figure:
    """Draws one person, whose skeleton has its place in the image."""

    def __init__(self, brush: Brush, skeleton: Skeleton, outfit: Outfit) -> None:
        self.brush, self.skeleton, self.outfit = brush, skeleton, outfit
        self.head = Head(brush, skeleton, outfit)

    def draw(self) -> None:
        """Draws the whole person."""
        points = self.skeleton.points
        torso = float(points[[PELVIS, THORAX]].mean(0)[2])
        neck = float(points[UPPER_NECK, 2]) + 0.02
        # Each part with its depth: drawing in this order hides limbs behind the body.
        parts: list[tuple[float, Callable[[], None]]] = [
            (torso - 0.02, self.head.draw_behind),
            (torso, self._torso),
            (neck, self.head.draw),
            (max(torso + 1e-3, neck - 0.05), self._neck),
        ]
        for side in range(2):
            # The hip is under the shirt unless the leg comes forward; an arm at the
            # body's side is in front of it from either side.
            parts += self._limb_parts(side, LEG_CHAINS[side], -0.045, torso, self._leg)
            parts += self._limb_parts(side, ARM_CHAINS[side], 0.03, torso, self._arm)
        if self.outfit.garment == 'skirt':
            depth = points[[1, 2, 3, 4], 2].mean()
            parts.append((max(float(depth), torso - 0.01), self._skirt))
        for _, draw_part in sorted(parts, key=lambda part: part[0]):
            draw_part()

    def _limb_parts(
        self,
        side: int,
        chain: Chain,
        bias: float,
        torso: float,
        draw: Callable[[int, float, float], None],
    ) -> list[tuple[float, Callable[[], None]]]:
        """Returns one limb with its depth, in one part or in two."""
        points = self.skeleton.points[list(chain)]
        upper, lower = ((points[:-1, 2] + points[1:, 2]) / 2 + bias).tolist()
        first, second = np.diff(self.skeleton.project(points), axis=0)
        # A limb that is folded, or that reaches around the body, needs two parts.
        straight = first @ second > 0.2 * np.linalg.norm(first) * np.linalg.norm(second)
        if straight and (upper > torso) == (lower > torso):
            return [((upper + lower) / 2, lambda: draw(side, 0.0, 2.0))]
        return [
            (upper, lambda: draw(side, 0.0, 1.0)),
            (lower, lambda: draw(side, 1.0, 2.0)),
        ]

    def _sections(
        self, heights: Sequence[float] | np.ndarray, grow: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the (N, 16, 3) outlines of the torso and their (N, 3) middles."""
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

    def _trunk(self, heights: Sequence[float], color: np.ndarray, grow: float) -> None:
        rings, middles = self._sections(heights, grow)
        centers = self.skeleton.project(middles)
        outlines = self.skeleton.project(rings) - centers[:, None]
        self.brush.volume(centers, outlines, color)

    def _torso(self) -> None:
        grow = 0.5 + 0.5 * self.outfit.loose
        parts = (self._bottom, self._shirt)
        for draw_part in reversed(parts) if self.outfit.tucked else parts:
            draw_part(grow)

    def _bottom(self, grow: float) -> None:
        color = self.outfit.bottom
        self._trunk((-0.16, 0.0, 0.16), color, grow)
        if self.outfit.tucked:
            self._stroke(0.15, grow, 1.5, scale_color(color, 0.5))

    def _shirt(self, grow: float) -> None:
        low = 0.1 if self.outfit.tucked else -0.05
        self._trunk((low, 0.2, 0.42, 0.75, 0.96, 1.07), self.outfit.shirt, grow)
        self._pattern(max(low, 0.1), grow)
        forward = self.skeleton.chest_axes[2, 2]
        if forward >= 0.2:
            self._front(grow, forward)

    def _stroke(
        self, height: float, grow: float, width: float, color: np.ndarray
    ) -> None:
        """Draws a line around the visible half of the torso."""
        (ring,), (middle,) = self._sections([height], grow * 0.97)
        near = ring[:, 2] >= middle[2]
        # Start at the first visible point, so that the visible half is one piece.
        start = int(np.argmax(near & ~np.roll(near, 1)))
        visible = np.roll(ring, -start, 0)[np.roll(near, -start)]
        self.brush.line(self.skeleton.project(visible), width, color)

    def _pattern(self, low: float, grow: float) -> None:
        """Draws the shirt's pattern from a height upward."""
        kind, accent = self.outfit.pattern, self.outfit.accent
        length = self.skeleton.scale * self.skeleton.body.torso
        if kind == 'stripes':
            for height in np.arange(low, 0.95, 0.14).tolist():
                self._stroke(height, grow, 0.055 * length, accent)
        elif kind == 'block':
            self._trunk((0.62, 0.75, 0.96, 1.07), accent, grow)
        elif kind in ('pinstripes', 'dots'):
            rings, middles = self._sections(np.linspace(low, 0.93, 7), 0.97 * grow)
            near = rings[:, :, 2] > middles[:, None, 2]
            pixels = self.skeleton.project(rings)
            if kind == 'dots':
                for dot in pixels[::2, ::2][near[::2, ::2]]:
                    self.brush.disc(dot, 0.04 * length, accent)
            else:
                for i in np.flatnonzero(near.all(0)):
                    self.brush.line(pixels[:, i], 0.02 * length, accent)

    def _front(self, grow: float, forward: float) -> None:
        """Draws the collar and the print of a chest that faces the camera."""
        outfit = self.outfit
        rings, _ = self._sections((1.07, 1.0 - outfit.neckline, 0.68), grow)
        # Point 4 of a section is the middle of the front.
        if outfit.pattern == 'print':
            size = 0.13 * self.skeleton.scale * self.skeleton.body.torso
            self.brush.polygon(
                self.skeleton.project(rings[2, 4])
                + CIRCLE * (size * max(0.4, forward), size),
                outfit.accent,
            )
        collar = rings[(0, 1, 0), (2, 4, 6)]
        self.brush.polygon(self.skeleton.project(collar), scale_color(outfit.skin, 0.9))

    def _neck(self) -> None:
        s, points = self.skeleton, self.skeleton.points
        bottom = points[THORAX] + 0.01 * s.chest_axes[:, 1]
        top = points[UPPER_NECK] + 0.25 * s.body.head * s.head_axes[:, 1]
        radius = s.pixels(0.030 * s.body.girth**0.5, bottom)
        self.brush.capsule(
            s.project(np.stack([bottom, top])),
            (radius, radius),
            scale_color(self.outfit.skin, 0.88),
        )

    def _leg(self, side: int, start: float, stop: float) -> None:
        outfit = self.outfit
        if stop == 2:
            self._foot(side)
        covered = 0.0 if outfit.garment == 'skirt' else 2 * outfit.hem
        self._limb(LEG_CHAINS[side], _LEG_RADII, start, stop, covered, outfit.bottom)

    def _arm(self, side: int, start: float, stop: float) -> None:
        if stop == 2:
            self._hand(side)
        covered, color = 2 * self.outfit.sleeve, self.outfit.shirt
        self._limb(ARM_CHAINS[side], _ARM_RADII, start, stop, covered, color)

    def _limb(
        self,
        chain: Chain,
        radii: Sequence[float],
        start: float,
        stop: float,
        covered: float,
        color: np.ndarray,
    ) -> None:
        """Draws a limb from start to stop, in clothes as far as it is covered.

        All three are positions along the limb, whose keypoints are at 0, 1, and 2.
        """
        end = min(covered, stop)
        if end < stop:
            self._tube(chain, radii, start, stop, 1.0, self.outfit.skin)
        if end > start:
            self._tube(chain, radii, start, end, self.outfit.loose, color)

    def _tube(
        self,
        chain: Chain,
        radii: Sequence[float],
        start: float,
        stop: float,
        loose: float,
        color: np.ndarray,
    ) -> None:
        s, knots = self.skeleton, (0.0, 1.0, 2.0)
        points = s.points[list(chain)]
        # The muscles bulge at a third of each bone.
        inner = [u for u in (0.35, 1.0, 1.35) if start < u < stop]
        at = np.array([start, *inner, stop])
        middle = np.stack([np.interp(at, knots, points[:, i]) for i in range(3)], 1)
        sizes = np.interp(at, knots, radii) * s.body.girth * loose
        sizes *= np.where(np.isin(at, (0.35, 1.35)), 1.07, 1.0)
        if loose > 1:
            sizes[-1] *= 1.1
        sizes *= s.scale * (1 + s.perspective * middle[:, 2])
        self.brush.capsule(s.project(middle), sizes, color)

    def _foot(self, side: int) -> None:
        s = self.skeleton
        _, knee, ankle = s.points[list(LEG_CHAINS[side])]
        toe = s.toes[side]
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
        self.brush.hull(outline, scale_color(outfit.bottom, 0.7))
        middle = outline.mean(0)
        shift = 0.03 * np.ptp(outline, axis=0).max() * self.brush.light
        self.brush.hull(middle + 0.86 * (outline - middle) + shift, outfit.bottom)
        pleats = (ring[::5] for ring in rings)
        for top, right, left in zip(*pleats, strict=True):
            ends = np.stack([0.7 * top + 0.3 * middle, (right + left) / 2])
            self.brush.line(ends, 0.5, scale_color(outfit.bottom, 0.8))
