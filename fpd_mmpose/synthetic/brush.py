"""Drawing of shaded flat shapes on a canvas twice the size of the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

SUPERSAMPLING = 2
_FRACTION_BITS = 4
_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
"""(16, 2) points of the unit circle, counted from +x towards +y."""

# The tones of a shaded volume, from its dark rim to its highlight: brightness,
# then size and shift towards the light as shares of the radius.
_TONES = (0.72, 1.0, 1.13)
_TONE_SIZES = np.array([1.0, 0.86, 0.40])[:, None, None, None]
_TONE_SHIFTS = np.array([0.0, 0.11, 0.40])[:, None, None]

Color = Sequence[float]


def vary(color: Color, factor: float) -> np.ndarray:
    """Brighten or darken a colour.

    Args:
        color: Three values in [0, 255].
        factor: Non-negative factor on every channel.

    Returns:
        (3,) the new colour, within [0, 255].
    """
    return np.minimum(np.asarray(color, float) * factor, 255)


class Brush:
    """Draws on a supersampled canvas in coordinates of the final picture.

    Args:
        canvas: (2 * H, 2 * W, 3) uint8 BGR canvas, drawn on in place.
        light: (2,) unit vector in the picture that points towards the light.
    """

    def __init__(self, canvas: np.ndarray, light: np.ndarray):
        self.canvas = canvas
        self.light = np.asarray(light, float)

    @staticmethod
    def _fixed(points: np.ndarray) -> np.ndarray:
        # The centre of picture pixel x is the canvas coordinate 2 * x + 0.5.
        shift = (SUPERSAMPLING - 1) / 2
        canvas = np.asarray(points, float) * SUPERSAMPLING + shift
        return np.rint(canvas * (1 << _FRACTION_BITS)).astype(np.int32)

    def polygon(self, points: np.ndarray, color: Color) -> None:
        """Fill a polygon.

        Args:
            points: (N, 2) corners in 0-based picture pixels.
            color: BGR in [0, 255].
        """
        cv2.fillPoly(
            self.canvas,
            [self._fixed(points)],
            tuple(map(float, color)),
            shift=_FRACTION_BITS,
        )

    def hull(self, points: np.ndarray, color: Color) -> None:
        """Fill the convex hull of some points.

        Args:
            points: (N, 2) in 0-based picture pixels.
            color: BGR in [0, 255].
        """
        hull = cv2.convexHull(self._fixed(points))
        cv2.fillConvexPoly(
            self.canvas, hull, tuple(map(float, color)), shift=_FRACTION_BITS
        )

    def disc(self, centre: np.ndarray, radius: float, color: Color) -> None:
        """Fill a disc.

        Args:
            centre: (2,) in 0-based picture pixels.
            radius: In pixels.
            color: BGR in [0, 255].
        """
        x, y = self._fixed(centre).tolist()
        size = round(radius * SUPERSAMPLING * (1 << _FRACTION_BITS))
        cv2.circle(
            self.canvas,
            (x, y),
            size,
            tuple(map(float, color)),
            cv2.FILLED,
            shift=_FRACTION_BITS,
        )

    def line(self, points: np.ndarray, width: float, color: Color) -> None:
        """Draw an open line.

        Args:
            points: (N, 2) in 0-based picture pixels.
            width: In pixels; at least one pixel of the canvas is drawn.
            color: BGR in [0, 255].
        """
        thickness = max(1, round(width * SUPERSAMPLING))
        cv2.polylines(
            self.canvas,
            [self._fixed(points)],
            False,
            tuple(map(float, color)),
            thickness,
            shift=_FRACTION_BITS,
        )

    def volume(self, centres: np.ndarray, rings: np.ndarray, color: Color) -> None:
        """Fill a rounded body given by cross-sections, lit from one side.

        Args:
            centres: (N, 2) centres of the cross-sections in picture pixels.
            rings: (N, K, 2) outlines of the cross-sections round their centres.
            color: BGR in [0, 255].
        """
        reach = np.abs(rings @ self.light).max(1)[:, None] * self.light
        middles = centres + _TONE_SHIFTS * reach
        outlines = self._fixed(middles[:, :, None] + _TONE_SIZES * rings)
        # (3, N - 1, 2 * K, 2): each pair of neighbouring cross-sections.
        pairs = np.concatenate([outlines[:, :-1], outlines[:, 1:]], axis=2)
        for brightness, hulls in zip(_TONES, pairs, strict=True):
            tone = tuple(vary(color, brightness).tolist())
            for hull in map(cv2.convexHull, hulls):
                cv2.fillConvexPoly(self.canvas, hull, tone, shift=_FRACTION_BITS)

    def capsule(self, points: np.ndarray, radii: Sequence[float], color: Color) -> None:
        """Fill a tapered, lit limb.

        Args:
            points: (N, 2) points along the limb in picture pixels.
            radii: N radii in pixels.
            color: BGR in [0, 255].
        """
        rings = np.asarray(radii, float)[:, None, None] * CIRCLE
        self.volume(np.asarray(points, float), rings, color)
