"""A brush that fills shaded shapes on a canvas of twice the image's size."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

SUPERSAMPLING = 2
_FRACTION_BITS = 4
_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
#: (16, 2) points on the unit circle, from +x toward +y.
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)

# The tones of a shaded volume, from its dark rim to its highlight: brightness, then
# size and shift toward the light as fractions of the radius.
_TONES = (0.72, 1.0, 1.13)
_TONE_SIZES = np.array([1.0, 0.86, 0.40])[:, None, None, None]
_TONE_SHIFTS = np.array([0.0, 0.11, 0.40])[:, None, None]


def scale_color(color: ArrayLike, factor: float) -> np.ndarray:
    """Brightens or darkens a color, keeping its channels at 255 or less."""
    return np.minimum(np.asarray(color, float) * factor, 255)


class Brush:
    """Draws on a supersampled canvas in the coordinates of the final image.

    Points are 0-based image pixels, lengths are in pixels, and colors are BGR in
    [0, 255].

    Args:
        canvas: (2 * H, 2 * W, 3) uint8 BGR; drawn on in place.
        light: (2,) unit vector in the image that points toward the light.
    """

    def __init__(self, canvas: np.ndarray, light: np.ndarray) -> None:
        self.canvas = canvas
        self.light = np.asarray(light, float)

    def polygon(self, points: ArrayLike, color: ArrayLike) -> None:
        """Fills a polygon with (N, 2) corners."""
        cv2.fillPoly(
            self.canvas, [_fixed(points)], _channels(color), shift=_FRACTION_BITS
        )

    def hull(self, points: ArrayLike, color: ArrayLike) -> None:
        """Fills the convex hull of (N, 2) points."""
        self._fill_hull(_fixed(points), color)

    def disc(self, center: ArrayLike, radius: float, color: ArrayLike) -> None:
        """Fills a disc."""
        cv2.circle(
            self.canvas,
            _fixed(center).tolist(),
            round(radius * SUPERSAMPLING * (1 << _FRACTION_BITS)),
            _channels(color),
            cv2.FILLED,
            shift=_FRACTION_BITS,
        )

    def line(self, points: ArrayLike, width: float, color: ArrayLike) -> None:
        """Draws an open line through (N, 2) points, at least one canvas pixel wide."""
        cv2.polylines(
            self.canvas,
            [_fixed(points)],
            False,
            _channels(color),
            max(1, round(width * SUPERSAMPLING)),
            shift=_FRACTION_BITS,
        )

    def volume(self, centers: np.ndarray, rings: np.ndarray, color: ArrayLike) -> None:
        """Fills a rounded body that is lit from one side.

        Its cross-sections have (N, 2) centers and (N, K, 2) outlines relative to them.
        """
        reach = np.abs(rings @ self.light).max(1)[:, None] * self.light
        middles = centers + _TONE_SHIFTS * reach
        outlines = _fixed(middles[:, :, None] + _TONE_SIZES * rings)
        # (3, N - 1, 2 * K, 2): each pair of neighboring cross-sections.
        pairs = np.concatenate([outlines[:, :-1], outlines[:, 1:]], axis=2)
        for brightness, hulls in zip(_TONES, pairs, strict=True):
            tone = scale_color(color, brightness)
            for hull in hulls:
                self._fill_hull(hull, tone)

    def capsule(self, points: ArrayLike, radii: ArrayLike, color: ArrayLike) -> None:
        """Fills a tapered, lit limb through (N, 2) points with N radii."""
        rings = np.asarray(radii, float)[:, None, None] * CIRCLE
        self.volume(np.asarray(points, float), rings, color)

    def _fill_hull(self, fixed: np.ndarray, color: ArrayLike) -> None:
        hull = cv2.convexHull(fixed)
        cv2.fillConvexPoly(self.canvas, hull, _channels(color), shift=_FRACTION_BITS)


def _fixed(points: ArrayLike) -> np.ndarray:
    """Converts image points to OpenCV's fixed-point canvas coordinates."""
    # The center of image pixel x is the canvas coordinate 2 * x + 0.5.
    canvas = np.asarray(points, float) * SUPERSAMPLING + (SUPERSAMPLING - 1) / 2
    return np.rint(canvas * (1 << _FRACTION_BITS)).astype(np.int32)


def _channels(color: ArrayLike) -> tuple[float, ...]:
    return tuple(np.asarray(color, float).tolist())
