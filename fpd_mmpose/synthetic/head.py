"""Drawing of a head: face, hair from every side, caps."""

from __future__ import annotations

import numpy as np

from .brush import Brush, vary
from .outfit import Outfit
from .skeleton import HEAD_TOP, UPPER_NECK, Skeleton

_AROUND = np.linspace(0, 2 * np.pi, 28, endpoint=False)
# Semi-axes of the skull (left, up, forward) in lengths of the head.
_SKULL = np.array([0.365, 0.5, 0.40])


class Head:
    """Draws the head of one skeleton.

    Args:
        brush: Draws on the canvas.
        skeleton: The placed skeleton.
        outfit: Colours and hair style.
    """

    def __init__(self, brush: Brush, skeleton: Skeleton, outfit: Outfit):
        self.brush, self.skeleton, self.outfit = brush, skeleton, outfit
        points = skeleton.points
        self.axes = skeleton.head_axes
        self.centre = (points[UPPER_NECK] + points[HEAD_TOP]) / 2
        self.size = skeleton.body.head

    def _at(self, directions: np.ndarray, grow: float = 1.0) -> np.ndarray:
        """Project points given as (..., 3) directions on the unit skull."""
        local = np.asarray(directions, float) * _SKULL * self.size * grow
        return self.skeleton.project(self.centre + local @ self.axes.T)

    def _outline(self, grow: float = 1.0, shift: float = 0.0) -> np.ndarray:
        """Give the (28, 2) outline of the skull; ``shift`` is upward."""
        # The ellipsoid's silhouette: where its normal is across the view.
        half = self.axes[:2] * _SKULL * self.size * grow
        spread = np.linalg.cholesky(half @ half.T)
        ring = spread @ np.stack([np.cos(_AROUND), np.sin(_AROUND)])
        up = self.axes[:2, 1] * shift * self.size
        points = np.zeros((len(_AROUND), 3))
        points[:, :2] = self.centre[:2] + up + ring.T
        points[:, 2] = self.centre[2]
        return self.skeleton.project(points)

    def _patch(
        self,
        direction: tuple[float, float, float],
        radius: float,
        color: np.ndarray,
        grow: float = 1.0,
    ) -> None:
        """Fill the visible part of a round patch of the skull, if any.

        Args:
            direction: Its middle, (left, up, forward) of the head.
            radius: Its angular radius in radians.
            color: BGR in [0, 255].
            grow: Size of the skull it lies on.
        """
        middle = np.asarray(direction, float) / np.linalg.norm(direction)
        other = np.cross(middle, (1.0, 0.3, 0.1))
        other /= np.linalg.norm(other)
        third = np.cross(middle, other)
        points = np.cos(radius) * middle + np.sin(radius) * (
            np.cos(_AROUND)[:, None] * other + np.sin(_AROUND)[:, None] * third
        )
        toward = (self.axes / _SKULL)[2]
        toward = toward / np.linalg.norm(toward)
        depth = points @ toward
        if depth.max() < 0.1:
            return
        # What lies behind the silhouette is moved onto it.
        hidden = depth < 0
        flat = points[hidden] - depth[hidden, None] * toward
        points[hidden] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        self.brush.polygon(self._at(points, grow), color)

    def _faces(self, direction: tuple[float, float, float]) -> bool:
        """Tell whether a place on the skull faces the camera."""
        return float(self.axes[2] @ (np.asarray(direction) / _SKULL)) > 0.25

    def box(self) -> np.ndarray:
        """Give the box round the head with its short hair.

        Returns:
            (2, 2) upper left and lower right corner in 0-based pixels.
        """
        outline = self._outline(1.06)
        return np.stack([outline.min(0), outline.max(0)])

    def draw_behind(self) -> None:
        """Draw the long hair that hangs behind the neck of a person in front."""
        if self.outfit.hair_style == 'long' and self.axes[2, 2] > -0.1:
            self._long_hair()

    def _long_hair(self) -> None:
        low = [(x, y, -0.75) for y in (-0.2, -1.5) for x in (-1.02, 1.02)]
        points = np.concatenate([self._outline(1.08)[::2], self._at(low)])
        self.brush.hull(points, vary(self.outfit.hair, 0.8))

    def draw(self) -> None:
        """Draw the head; the neck and the torso are already there."""
        brush, outfit = self.brush, self.outfit
        bald = outfit.hair_style == 'bald'
        hair = outfit.skin if bald else outfit.hair
        brush.polygon(
            self._outline(1.0 if bald else 1.07, 0 if bald else 0.02), vary(hair, 0.8)
        )
        light = self._outline(0.86)
        light += 0.05 * self.size * self.skeleton.scale * brush.light
        brush.polygon(light, hair)
        for x in (-1, 1):
            if self._faces((x, 0, 0.35)):
                brush.disc(
                    self._at((x * 1.02, -0.12, 0)),
                    self._px(0.085),
                    vary(outfit.skin, 0.82),
                )
        if bald:
            self._patch((0, -0.3, -1), 0.95, vary(outfit.hair, 0.9))
        self._patch((0, -0.5, 1), 1.02, vary(outfit.skin, 0.86))
        self._patch((0, -0.45, 1), 0.88, outfit.skin)
        self._features()
        if outfit.hair_style == 'cap':
            self._cap()
        if self.axes[2, 2] <= -0.1 and outfit.hair_style == 'long':
            self._long_hair()
            self._patch((0, 0.35, -1), 0.8, outfit.hair)
        if outfit.hair_style == 'bun' and not self._faces((0, -0.1, 1)):
            brush.disc(
                self._at((0, 0.35, -1.15)), self._px(0.2), vary(outfit.hair, 0.7)
            )
            brush.disc(self._at((0, 0.4, -1.2)), self._px(0.15), outfit.hair)

    def _px(self, share: float) -> float:
        return self.skeleton.pixels(share * self.size, self.centre)

    def _features(self) -> None:
        """Draw brows, eyes, nose, mouth and beard where they face the camera."""
        brush, skin = self.brush, self.outfit.skin
        dark = vary(self.outfit.hair, 0.6)
        if self.outfit.beard:
            self._patch((0, -1.0, 0.9), 0.62, vary(self.outfit.hair, 0.9))
        for x in (-0.38, 0.38):
            eye = (x, 0.02, 0.9)
            if self._faces(eye):
                brush.disc(self._at(eye), self._px(0.075), (238, 240, 242))
                brush.disc(self._at(eye), self._px(0.045), (30, 28, 30))
                brow = [(0.6 * x, 0.22, 0.95), (1.4 * x, 0.2, 0.85)]
                brush.line(self._at(brow), self._px(0.05), dark)
        if self._faces((0, -0.2, 1)):
            nose = [(0, 0.0, 1.0), (0.02, -0.26, 1.25), (0, -0.28, 1.0)]
            brush.line(self._at(nose), self._px(0.045), vary(skin, 0.7))
        mouth = [(x, -0.52 - 0.04 * (x == 0), 0.85) for x in (-0.25, 0, 0.25)]
        if self._faces((0, -0.5, 0.85)):
            brush.line(self._at(mouth), self._px(0.055), (70, 60, 150))

    def _cap(self) -> None:
        brush, color = self.brush, self.outfit.accent
        self._patch((0, 1, -0.05), 1.2, vary(color, 0.85), 1.1)
        self._patch((0, 1, 0.05), 0.85, color, 1.1)
        if self._faces((0, 0.2, 1)):
            visor = [
                (-0.8, 0.4, 0.75),
                (-0.5, 0.38, 1.5),
                (0.5, 0.38, 1.5),
                (0.8, 0.4, 0.75),
                (0, 0.52, 1.0),
            ]
            brush.polygon(self._at(visor), vary(color, 0.65))
