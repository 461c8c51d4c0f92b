"""Draws a head: face, hair from every side, and caps."""

import numpy as np
from numpy.typing import ArrayLike

from fpd_mmpose.synthetic.brush import Brush, scale_color
from fpd_mmpose.synthetic.outfit import Outfit
from fpd_mmpose.synthetic.skeleton import HEAD_TOP, UPPER_NECK, Skeleton

Direction = tuple[float, float, float]  # left, up, and forward of the head

_ANGLES = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# Semi-axes of the skull (left, up, forward) in lengths of the head.
_SKULL = np.array([0.365, 0.5, 0.40])


class Head:
    """Draws the head of one skeleton."""

    def __init__(self, brush: Brush, skeleton: Skeleton, outfit: Outfit) -> None:
        self.brush, self.skeleton, self.outfit = brush, skeleton, outfit
        points = skeleton.points
        self.axes = skeleton.head_axes
        self.center = (points[UPPER_NECK] + points[HEAD_TOP]) / 2
        self.size = skeleton.body.head

    def box(self) -> np.ndarray:
        """Returns the (2, 2) corners of the head with short hair, in 0-based pixels."""
        outline = self._outline(1.06)
        return np.stack([outline.min(0), outline.max(0)])

    def draw_behind(self) -> None:
        """Draws the long hair that hangs behind the neck of a person seen in front."""
        if self.outfit.hair_style == 'long' and self.axes[2, 2] > -0.1:
            self._long_hair()

    def draw(self) -> None:
        """Draws the head on top of the neck and the torso."""
        brush, outfit = self.brush, self.outfit
        if outfit.hair_style == 'bald':
            brush.polygon(self._outline(), scale_color(outfit.skin, 0.8))
            crown = outfit.skin
        else:
            brush.polygon(self._outline(1.07, 0.02), scale_color(outfit.hair, 0.8))
            crown = outfit.hair
        light = self._outline(0.86)
        light += 0.05 * self.size * self.skeleton.scale * brush.light
        brush.polygon(light, crown)
        for x in (-1, 1):
            if self._faces((x, 0, 0.35)):
                self._dot((x * 1.02, -0.12, 0), 0.085, scale_color(outfit.skin, 0.82))
        if outfit.hair_style == 'bald':
            self._patch((0, -0.3, -1), 0.95, scale_color(outfit.hair, 0.9))
        self._patch((0, -0.5, 1), 1.02, scale_color(outfit.skin, 0.86))
        self._patch((0, -0.45, 1), 0.88, outfit.skin)
        self._features()
        if outfit.hair_style == 'cap':
            self._cap()
        if outfit.hair_style == 'long' and self.axes[2, 2] <= -0.1:
            self._long_hair()
            self._patch((0, 0.35, -1), 0.8, outfit.hair)
        if outfit.hair_style == 'bun' and not self._faces((0, -0.1, 1)):
            self._dot((0, 0.35, -1.15), 0.2, scale_color(outfit.hair, 0.7))
            self._dot((0, 0.4, -1.2), 0.15, outfit.hair)

    def _features(self) -> None:
        """Draws the brows, eyes, nose, mouth, and beard that face the camera."""
        skin, hair = self.outfit.skin, self.outfit.hair
        if self.outfit.beard:
            self._patch((0, -1.0, 0.9), 0.62, scale_color(hair, 0.9))
        for x in (-0.38, 0.38):
            eye = (x, 0.02, 0.9)
            if self._faces(eye):
                self._dot(eye, 0.075, (238, 240, 242))
                self._dot(eye, 0.045, (30, 28, 30))
                brow = [(0.6 * x, 0.22, 0.95), (1.4 * x, 0.2, 0.85)]
                self._line(brow, 0.05, scale_color(hair, 0.6))
        if self._faces((0, -0.2, 1)):
            nose = [(0, 0.0, 1.0), (0.02, -0.26, 1.25), (0, -0.28, 1.0)]
            self._line(nose, 0.045, scale_color(skin, 0.7))
        if self._faces((0, -0.5, 0.85)):
            mouth = [(-0.25, -0.52, 0.85), (0, -0.56, 0.85), (0.25, -0.52, 0.85)]
            self._line(mouth, 0.055, (70, 60, 150))

    def _cap(self) -> None:
        color = self.outfit.accent
        self._patch((0, 1, -0.05), 1.2, scale_color(color, 0.85), 1.1)
        self._patch((0, 1, 0.05), 0.85, color, 1.1)
        if self._faces((0, 0.2, 1)):
            visor = [
                (-0.8, 0.4, 0.75),
                (-0.5, 0.38, 1.5),
                (0.5, 0.38, 1.5),
                (0.8, 0.4, 0.75),
                (0, 0.52, 1.0),
            ]
            self.brush.polygon(self._at(visor), scale_color(color, 0.65))

    def _long_hair(self) -> None:
        low = [(x, y, -0.75) for y in (-0.2, -1.5) for x in (-1.02, 1.02)]
        points = np.concatenate([self._outline(1.08)[::2], self._at(low)])
        self.brush.hull(points, scale_color(self.outfit.hair, 0.8))

    def _at(self, directions: ArrayLike, grow: float = 1.0) -> np.ndarray:
        """Projects (..., 3) directions on the skull, which `grow` enlarges."""
        local = np.asarray(directions, float) * _SKULL * self.size * grow
        return self.skeleton.project(self.center + local @ self.axes.T)

    def _dot(self, direction: Direction, radius: float, color: ArrayLike) -> None:
        self.brush.disc(self._at(direction), self._pixels(radius), color)

    def _line(self, directions: ArrayLike, width: float, color: ArrayLike) -> None:
        self.brush.line(self._at(directions), self._pixels(width), color)

    def _pixels(self, share: float) -> float:
        return self.skeleton.pixels(share * self.size, self.center)

    def _faces(self, direction: Direction) -> bool:
        """Whether the skull faces the camera at a direction."""
        return float(self.axes[2] @ (np.asarray(direction) / _SKULL)) > 0.25

    def _outline(self, grow: float = 1.0, shift: float = 0.0) -> np.ndarray:
        """Returns the (28, 2) outline of the skull, moved upward by `shift`."""
        # The ellipsoid's silhouette: where its normal is perpendicular to the view.
        half = self.axes[:2] * _SKULL * self.size * grow
        spread = np.linalg.cholesky(half @ half.T)
        up = self.axes[:2, 1] * shift * self.size
        points = np.zeros((len(_CIRCLE), 3))
        points[:, :2] = self.center[:2] + up + (spread @ _CIRCLE.T).T
        points[:, 2] = self.center[2]
        return self.skeleton.project(points)

    def _patch(
        self, direction: Direction, radius: float, color: ArrayLike, grow: float = 1.0
    ) -> None:
        """Fills the visible part of a round patch, whose radius is in radians."""
        middle = np.asarray(direction, float) / np.linalg.norm(direction)
        other = np.cross(middle, (1.0, 0.3, 0.1))
        other /= np.linalg.norm(other)
        third = np.cross(middle, other)
        points = np.cos(radius) * middle + np.sin(radius) * (
            _CIRCLE[:, :1] * other + _CIRCLE[:, 1:] * third
        )
        toward = (self.axes / _SKULL)[2]
        toward = toward / np.linalg.norm(toward)
        depth = points @ toward
        if depth.max() < 0.1:
            return
        # Move hidden points onto the silhouette.
        hidden = depth < 0
        flat = points[hidden] - depth[hidden, None] * toward
        points[hidden] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        self.brush.polygon(self._at(points, grow), color)
