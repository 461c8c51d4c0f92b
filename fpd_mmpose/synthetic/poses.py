"""Random limb poses, drawn from tables of joint angles.

Four angles pose a limb that starts out hanging straight down: ``flex`` swings it
forward, ``abd`` (abduction) lifts it outward, ``twist`` turns it outward about its own
axis, and ``bend`` folds the knee backward or the elbow forward.
"""

from collections.abc import Mapping

import numpy as np

Range = tuple[float, float]
Angles = tuple[Range, Range, Range, Range]  # flex, abd, twist, and bend in degrees

_STRAIGHT: Angles = ((-5, 8), (1, 9), (0, 20), (0, 10))
#: Relative frequency, then the angles of the two legs, or of both where they are alike.
LEGS: dict[str, tuple[float, list[Angles]]] = {
    'stand': (8, [_STRAIGHT]),
    'wide': (8, [((-6, 6), (12, 26), (5, 30), (0, 15))]),
    'relaxed': (8, [_STRAIGHT, ((5, 22), (5, 16), (5, 35), (12, 38))]),
    'walk': (
        6,
        [((15, 36), (0, 7), (0, 12), (0, 22)), ((-25, -8), (0, 7), (0, 12), (12, 50))],
    ),
    'run': (
        3,
        [
            ((40, 85), (0, 10), (0, 10), (60, 112)),
            ((-35, -5), (0, 9), (0, 10), (20, 100)),
        ],
    ),
    'sit': (1.5, [((72, 94), (4, 24), (0, 20), (70, 100))]),
    'crouch': (0.5, [((85, 118), (12, 36), (5, 25), (100, 138))]),
    'lunge': (
        2,
        [
            ((50, 85), (0, 20), (0, 20), (55, 95)),
            ((-30, -5), (0, 16), (0, 12), (10, 70)),
        ],
    ),
    'jump': (2, [((10, 65), (6, 38), (0, 25), (25, 105))]),
    'kick': (2, [((35, 92), (0, 40), (0, 20), (0, 35)), _STRAIGHT]),
    'kneel': (
        0.5,
        [
            ((75, 95), (0, 16), (0, 10), (80, 100)),
            ((-10, 10), (0, 9), (0, 6), (82, 105)),
        ],
    ),
}
#: Relative frequency and angles of one arm.
ARMS: dict[str, tuple[float, Angles]] = {
    'hang': (5, ((-8, 14), (5, 20), (-25, 20), (3, 32))),
    'forward_swing': (2.5, ((20, 58), (3, 14), (-35, 0), (20, 92))),
    'back_swing': (2, ((-45, -14), (4, 16), (-20, 10), (10, 85))),
    'akimbo': (2.5, ((-20, 5), (36, 56), (-95, -70), (80, 112))),
    'up': (4, ((-8, 20), (135, 174), (20, 110), (0, 55))),
    'side': (3.5, ((-8, 15), (65, 108), (-20, 90), (0, 45))),
    'cactus': (3, ((-8, 12), (68, 104), (70, 104), (60, 125))),
    'reach': (2, ((50, 105), (-4, 25), (-25, 15), (0, 50))),
    'folded': (1.5, ((18, 42), (2, 14), (-72, -48), (88, 116))),
    'phone': (1.5, ((25, 70), (8, 32), (-22, 12), (110, 142))),
}
_LEG_WEIGHTS = {name: weight for name, (weight, _) in LEGS.items()}
_ARM_WEIGHTS = {name: weight for name, (weight, _) in ARMS.items()}


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draws one name with a probability in proportion to its weight."""
    shares = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(shares, rng.uniform(0, shares[-1])))]


def sample_limbs(rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray]:
    """Draws the name of the leg pose, and the angles of the legs and of the arms.

    The angles are (2, 4) in radians, with the person's right limb first. Either side
    is as likely to take either half of an uneven pose, so that a pose gives no clue
    to left and right.
    """
    name = pick(rng, _LEG_WEIGHTS)
    swap = bool(rng.integers(2))
    legs = _sample_angles(rng, (LEGS[name][1] * 2)[:2])
    if name in ('walk', 'run') and rng.random() < 0.75:
        # The arm opposite to the leading leg swings forward.
        arm_poses = ['back_swing', 'forward_swing']
    elif rng.random() < 0.45:
        arm_poses = [pick(rng, _ARM_WEIGHTS)] * 2
    else:
        arm_poses = [pick(rng, _ARM_WEIGHTS), pick(rng, _ARM_WEIGHTS)]
    arms = _sample_angles(rng, [ARMS[pose][1] for pose in arm_poses])
    return (name, legs[::-1], arms[::-1]) if swap else (name, legs, arms)


def _sample_angles(rng: np.random.Generator, limbs: list[Angles]) -> np.ndarray:
    ranges = np.radians(np.array(limbs, float))
    return rng.uniform(ranges[..., 0], ranges[..., 1])
