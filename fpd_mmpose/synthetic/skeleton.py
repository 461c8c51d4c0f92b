"""Sampling of a body and a pose, and their projection to MPII keypoints.

The body is a small 3-D skeleton. Its own axes are x to the person's left, y up
and z forward; the view's axes are x to the right of the picture, y up and z
towards the camera. In a frontal view the person's left is therefore on the
right of the picture, and in a view from behind it is on the left.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .body import Body
from .poses import sample_limbs

KEYPOINT_NAMES = (
    'right_ankle',
    'right_knee',
    'right_hip',
    'left_hip',
    'left_knee',
    'left_ankle',
    'pelvis',
    'thorax',
    'upper_neck',
    'head_top',
    'right_wrist',
    'right_elbow',
    'right_shoulder',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
)
"""MPII's keypoints in MPII's order; right and left are the person's own."""

# Rows of the keypoints of a limb from body to end, the person's right first.
LEG_CHAINS = ((2, 1, 0), (3, 4, 5))
ARM_CHAINS = ((12, 11, 10), (13, 14, 15))
PELVIS, THORAX, UPPER_NECK, HEAD_TOP = 6, 7, 8, 9


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """A posed body in the view's axes, and where it lies in the picture.

    Attributes:
        body: The proportions.
        points: (16, 3) keypoints in MPII's order, in the units of ``body``.
        toes: (2, 3) tips of the feet, the person's right first.
        fingers: (2, 3) tips of the hands, the person's right first.
        chest_axes: (3, 3) whose columns are the chest's left, up and forward.
        hip_axes: The same of the pelvis.
        head_axes: The same of the head.
        pose: Name of the leg pose, a key of ``poses.LEGS``.
        scale: Pixels per unit at depth 0.
        offset: (2,) pixel of the origin, the pelvis.
        perspective: Relative growth in size per unit nearer to the camera.
    """

    body: Body
    points: np.ndarray
    toes: np.ndarray
    fingers: np.ndarray
    chest_axes: np.ndarray
    hip_axes: np.ndarray
    head_axes: np.ndarray
    pose: str
    scale: float
    offset: np.ndarray
    perspective: float

    @property
    def joints(self) -> np.ndarray:
        """The (16, 2) keypoints in 0-based pixels."""
        return self.project(self.points)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points of the view's axes to the picture.

        Args:
            points: (..., 3) points in the units of ``body``.

        Returns:
            (..., 2) 0-based pixels.
        """
        points = np.asarray(points)
        flat = points[..., :2] * (1, -1)
        grow = 1 + self.perspective * points[..., 2:]
        return self.offset + self.scale * grow * flat

    def pixels(self, length: float, point: np.ndarray) -> float:
        """Give the size in pixels of a length at a point.

        Args:
            length: In the units of ``body``.
            point: (3,) where the length lies.

        Returns:
            Pixels.
        """
        return self.scale * (1 + self.perspective * float(point[2])) * length

    def extent(self) -> np.ndarray:
        """Give the box round the drawn person, clothes and hair aside.

        Returns:
            (2, 2) upper left and lower right corner in 0-based pixels.
        """
        body = self.body
        head = (self.points[UPPER_NECK] + self.points[HEAD_TOP]) / 2
        points = np.concatenate([self.points, self.toes, self.fingers, head[None]])
        radii = np.full(len(points), 0.032 * body.girth)
        radii[[UPPER_NECK, HEAD_TOP, -1]] = 0, 0.01, 0.42 * body.head
        flat, radii = self.project(points), radii[:, None] * self.scale
        return np.stack([(flat - radii).min(0), (flat + radii).max(0)])

    def placed(self, length: float, centre: np.ndarray) -> Skeleton:
        """Scale and move the person in the picture.

        Args:
            length: Wanted longer side of ``extent()``, in pixels.
            centre: (2,) wanted centre of ``extent()``, in 0-based pixels.

        Returns:
            The placed skeleton.
        """
        low, high = self.extent()
        grow = length / (high - low).max()
        offset = np.asarray(centre) + grow * (self.offset - (low + high) / 2)
        return dataclasses.replace(self, scale=self.scale * grow, offset=offset)


def rotation(axis: str, angle: float) -> np.ndarray:
    """Give the right-handed rotation about one axis.

    Args:
        axis: ``'x'``, ``'y'`` or ``'z'``.
        angle: In radians.

    Returns:
        (3, 3) matrix that rotates column vectors.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def sample_view(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Draw where the person is seen from.

    Args:
        rng: Source of randomness.

    Returns:
        The (3, 3) rotation from the person's axes to the view's, and the yaw in
        radians: 0 faces the camera and pi turns the back to it.
    """
    # Near-profile views are left out: there left and right are a guess.
    yaw = np.clip(rng.normal(0, 24), -48, 48)
    if rng.random() < 0.08:
        yaw = rng.choice([-1, 1]) * rng.uniform(42, 66)
    if rng.random() < 0.1:
        yaw += 180
    yaw = float(np.radians(yaw))
    elevation = np.radians(rng.uniform(-2, 17))
    roll = np.clip(rng.normal(0, 5), -14, 14)
    if rng.random() < 0.02:
        roll = rng.choice([-1, 1]) * rng.uniform(40, 105)
    view = rotation('z', np.radians(roll)) @ rotation('x', elevation)
    return view @ rotation('y', yaw), yaw


def _limb(
    origin: np.ndarray,
    axes: np.ndarray,
    side: int,
    angles: np.ndarray,
    lengths: tuple[float, float],
    fold: int,
) -> tuple[np.ndarray, ...]:
    """Give the middle joint, the end joint and the end's axes of a limb."""
    flex, abd, twist, bend = angles
    upper = axes @ rotation('z', side * abd) @ rotation('x', -flex)
    upper = upper @ rotation('y', side * twist)
    lower = upper @ rotation('x', fold * bend)
    middle = origin - upper[:, 1] * lengths[0]
    return middle, middle - lower[:, 1] * lengths[1], lower


def sample_skeleton(rng: np.random.Generator) -> Skeleton:
    """Draw a body in a pose, seen from somewhere; its size is one pixel a unit.

    Args:
        rng: Source of randomness.

    Returns:
        The skeleton, to be put into a picture by ``Skeleton.placed``.
    """
    body = Body.sample(rng)
    pose, legs, arms = sample_limbs(rng)
    view, _ = sample_view(rng)
    # Positive lean tips the chest forward.
    lean = rng.uniform(-6, 10) + {'run': 12, 'crouch': 22, 'lunge': 8}.get(pose, 0)
    if rng.random() < 0.04:
        lean = rng.uniform(22, 58)
    twist, sway, tilt = np.radians(rng.normal(0, (9, 5, 3)))
    hip_axes = view @ rotation('z', tilt)
    chest_axes = (
        view
        @ rotation('y', twist)
        @ rotation('z', sway)
        @ rotation('x', np.radians(lean))
    )
    nod, turn, cock = np.radians(rng.normal((0, 0, 0), (9, 18, 7)))
    head_axes = (
        view
        @ rotation('y', twist + turn)
        @ rotation('z', sway + cock)
        @ rotation('x', np.radians(0.4 * lean) + nod)
    )

    points = np.zeros((16, 3))
    toes, fingers = np.zeros((2, 3)), np.zeros((2, 3))
    thorax = (0.25 * hip_axes[:, 1] + 0.75 * chest_axes[:, 1]) * body.torso
    points[THORAX] = thorax
    neck = chest_axes[:, 1] + 0.15 * chest_axes[:, 2]
    points[UPPER_NECK] = thorax + neck * body.neck
    points[HEAD_TOP] = points[UPPER_NECK] + head_axes[:, 1] * body.head
    for i, side in enumerate((-1, 1)):
        hip, knee, ankle = LEG_CHAINS[i]
        points[hip] = hip_axes @ (side * body.hips, -0.015, 0)
        points[knee], points[ankle], axes = _limb(
            points[hip], hip_axes, side, legs[i], (body.thigh, body.shin), 1
        )
        point_down = rng.uniform(0.2, 0.55) + (0.6 if pose == 'jump' else 0)
        toe = axes[:, 2] * np.cos(point_down) - axes[:, 1] * np.sin(point_down)
        toes[i] = points[ankle] + toe * body.foot
        shoulder, elbow, wrist = ARM_CHAINS[i]
        # A lifted arm takes its shoulder up with it.
        shrug = 0.035 * max(0.0, arms[i, 1] - 1.2)
        points[shoulder] = thorax + chest_axes @ (
            side * (body.shoulders - 0.4 * shrug),
            shrug - 0.012,
            0,
        )
        points[elbow], points[wrist], axes = _limb(
            points[shoulder],
            chest_axes,
            side,
            arms[i],
            (body.upper_arm, body.forearm),
            -1,
        )
        fingers[i] = points[wrist] - axes[:, 1] * body.hand
    return Skeleton(
        body=body,
        points=points,
        toes=toes,
        fingers=fingers,
        chest_axes=chest_axes,
        hip_axes=hip_axes,
        head_axes=head_axes,
        pose=pose,
        scale=1.0,
        offset=np.zeros(2),
        perspective=float(rng.uniform(0.05, 0.3)),
    )
