"""Random skeletons in 3-D, and their projection to MPII keypoints.

The person's axes are x to the person's left, y up, and z forward; the view's axes are x
to the right of the image, y up, and z toward the camera. So the person's left is on
the right of the image in a frontal view, and on the left in a view from behind.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fpd_mmpose.synthetic.poses import sample_limbs

# Rows of a limb's keypoints in MPII's order, from the body outward; the person's right
# limb comes first.
LEG_CHAINS = ((2, 1, 0), (3, 4, 5))
ARM_CHAINS = ((12, 11, 10), (13, 14, 15))
PELVIS, THORAX, UPPER_NECK, HEAD_TOP = 6, 7, 8, 9


@dataclass(frozen=True)
class Body:
    """Lengths of the body parts, in units of an average standing height."""

    shin: float
    thigh: float
    foot: float
    torso: float
    neck: float
    head: float
    upper_arm: float
    forearm: float
    hand: float
    shoulders: float  # half the distance between the two joints, like `hips`
    hips: float
    girth: float  # a factor on the thickness of limbs and torso

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'Body':
        """Draws the proportions of an adult or, occasionally, a child."""
        child = rng.random() < 0.15
        legs, arms = rng.normal(0.86 if child else 1.0, 0.05, 2)
        head = rng.normal(1.22 if child else 1.03, 0.05)
        vary = np.clip(rng.normal(1.0, 0.04, 12), 0.9, 1.1)
        return cls(
            shin=0.235 * legs * vary[0],
            thigh=0.240 * legs * vary[1],
            foot=0.105 * vary[2],
            torso=0.285 * vary[3],
            neck=0.058 * vary[4],
            head=0.150 * head,
            upper_arm=0.160 * arms * vary[6],
            forearm=0.145 * arms * vary[7],
            hand=0.068 * vary[8],
            shoulders=0.104 * vary[9] * rng.uniform(0.9, 1.12),
            hips=0.056 * vary[10] * rng.uniform(0.92, 1.12),
            girth=float(np.clip(rng.normal(1.08, 0.14), 0.85, 1.45)),
        )


@dataclass(frozen=True)
class Skeleton:
    """A posed body in the view's axes, and its place in the image."""

    body: Body
    points: np.ndarray  # (16, 3) keypoints in MPII's order, in the units of `body`
    toes: np.ndarray  # (2, 3), the person's right first
    fingers: np.ndarray  # (2, 3), the person's right first
    chest_axes: np.ndarray  # (3, 3), whose columns are left, up, and forward
    hip_axes: np.ndarray
    head_axes: np.ndarray
    pose: str  # a key of `LEGS`
    scale: float  # pixels per unit at depth 0
    offset: np.ndarray  # (2,), the pixel of the origin, which is the pelvis
    perspective: float  # relative growth in size per unit toward the camera

    @property
    def joints(self) -> np.ndarray:
        """The (16, 2) keypoints in 0-based pixels."""
        return self.project(self.points)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Projects (..., 3) points of the view to (..., 2) 0-based pixels."""
        flat = points[..., :2] * (1, -1)
        grow = 1 + self.perspective * points[..., 2:]
        return self.offset + self.scale * grow * flat

    def pixels(self, length: float, point: np.ndarray) -> float:
        """Converts a length at a (3,) point of the view to pixels."""
        return self.scale * (1 + self.perspective * float(point[2])) * length

    def extent(self) -> np.ndarray:
        """Returns the (2, 2) corners of the person's box, without clothes and hair."""
        body = self.body
        head = (self.points[UPPER_NECK] + self.points[HEAD_TOP]) / 2
        points = np.concatenate([self.points, self.toes, self.fingers, head[None]])
        radii = np.full(len(points), 0.032 * body.girth)
        radii[[UPPER_NECK, HEAD_TOP, -1]] = 0, 0.01, 0.42 * body.head
        flat, radii = self.project(points), radii[:, None] * self.scale
        return np.stack([(flat - radii).min(0), (flat + radii).max(0)])

    def placed(self, length: float, center: np.ndarray) -> 'Skeleton':
        """Returns a copy whose extent has this center and longer side, in pixels."""
        low, high = self.extent()
        grow = length / (high - low).max()
        offset = center + grow * (self.offset - (low + high) / 2)
        return replace(self, scale=self.scale * grow, offset=offset)


def rotation(axis: Literal['x', 'y', 'z'], angle: float) -> np.ndarray:
    """Returns the (3, 3) right-handed rotation about an axis by radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def sample_skeleton(rng: np.random.Generator) -> Skeleton:
    """Draws a body, a pose, and a view, at a scale of one pixel per unit."""
    body = Body.sample(rng)
    pose, legs, arms = sample_limbs(rng)
    view = _sample_view(rng)
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
        # A raised arm lifts its shoulder.
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


def _sample_view(rng: np.random.Generator) -> np.ndarray:
    """Draws the (3, 3) rotation from the person's axes to the view's."""
    # Views close to a profile are left out: there, left and right are a guess.
    yaw = np.clip(rng.normal(0, 24), -48, 48)
    if rng.random() < 0.08:
        yaw = rng.choice([-1, 1]) * rng.uniform(42, 66)
    if rng.random() < 0.1:
        yaw += 180
    elevation = rng.uniform(-2, 17)
    roll = np.clip(rng.normal(0, 5), -14, 14)
    if rng.random() < 0.02:
        roll = rng.choice([-1, 1]) * rng.uniform(40, 105)
    view = rotation('z', np.radians(roll)) @ rotation('x', np.radians(elevation))
    return view @ rotation('y', np.radians(yaw))


def _limb(
    origin: np.ndarray,
    axes: np.ndarray,
    side: int,
    angles: np.ndarray,
    lengths: tuple[float, float],
    fold: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns a limb's middle joint, its end joint, and the axes of its lower part."""
    flex, abd, twist, bend = angles
    upper = axes @ rotation('z', side * abd) @ rotation('x', -flex)
    upper = upper @ rotation('y', side * twist)
    lower = upper @ rotation('x', fold * bend)
    middle = origin - upper[:, 1] * lengths[0]
    return middle, middle - lower[:, 1] * lengths[1], lower
