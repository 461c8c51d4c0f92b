"""Tables of limb poses, as ranges of joint angles in degrees.

A limb is posed by four angles: ``flex`` swings it forward from hanging straight
down, ``abd`` lifts it outward to its own side, ``twist`` turns it about its own
axis (positive is outward), and ``bend`` folds the knee (backward) or the elbow
(forward).
"""

from __future__ import annotations

import numpy as np

# (flex, abd, twist, bend), each (low, high) in degrees.
_STRAIGHT = ((-5, 8), (1, 9), (0, 20), (0, 10))
LEGS = {
    'stand': (_STRAIGHT, _STRAIGHT),
    'wide': (((-6, 6), (12, 26), (5, 30), (0, 15)),) * 2,
    'relaxed': (_STRAIGHT, ((5, 22), (5, 16), (5, 35), (12, 38))),
    'walk': (
        ((15, 36), (0, 7), (0, 12), (0, 22)),
        ((-25, -8), (0, 7), (0, 12), (12, 50)),
    ),
    'run': (
        ((40, 85), (0, 10), (0, 10), (60, 112)),
        ((-35, -5), (0, 9), (0, 10), (20, 100)),
    ),
    'sit': (((72, 94), (4, 24), (0, 20), (70, 100)),) * 2,
    'crouch': (((85, 118), (12, 36), (5, 25), (100, 138)),) * 2,
    'lunge': (
        ((50, 85), (0, 20), (0, 20), (55, 95)),
        ((-30, -5), (0, 16), (0, 12), (10, 70)),
    ),
    'jump': (((10, 65), (6, 38), (0, 25), (25, 105)),) * 2,
    'kick': (((35, 92), (0, 40), (0, 20), (0, 35)), _STRAIGHT),
    'kneel': (
        ((75, 95), (0, 16), (0, 10), (80, 100)),
        ((-10, 10), (0, 9), (0, 6), (82, 105)),
    ),
}
LEG_WEIGHTS = {
    'stand': 8,
    'wide': 8,
    'relaxed': 8,
    'walk': 6,
    'run': 3,
    'sit': 1.5,
    'crouch': 0.5,
    'lunge': 2,
    'jump': 2,
    'kick': 2,
    'kneel': 0.5,
}

ARMS = {
    'hang': ((-8, 14), (5, 20), (-25, 20), (3, 32)),
    'forward_swing': ((20, 58), (3, 14), (-35, 0), (20, 92)),
    'back_swing': ((-45, -14), (4, 16), (-20, 10), (10, 85)),
    'akimbo': ((-20, 5), (36, 56), (-95, -70), (80, 112)),
    'up': ((-8, 20), (135, 174), (20, 110), (0, 55)),
    'side': ((-8, 15), (65, 108), (-20, 90), (0, 45)),
    'cactus': ((-8, 12), (68, 104), (70, 104), (60, 125)),
    'reach': ((50, 105), (-4, 25), (-25, 15), (0, 50)),
    'folded': ((18, 42), (2, 14), (-72, -48), (88, 116)),
    'phone': ((25, 70), (8, 32), (-22, 12), (110, 142)),
}
ARM_WEIGHTS = {
    'hang': 5,
    'forward_swing': 2.5,
    'back_swing': 2,
    'akimbo': 2.5,
    'up': 4,
    'side': 3.5,
    'cactus': 3,
    'reach': 2,
    'folded': 1.5,
    'phone': 1.5,
}


def pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    """Draw one name from a table of weights.

    Args:
        rng: Source of randomness.
        weights: Name to its non-negative weight; they need not sum to one.

    Returns:
        The drawn name.
    """
    shares = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(shares, rng.uniform(0, shares[-1])))]


def sample_angles(rng: np.random.Generator, limb: tuple) -> np.ndarray:
    """Draw the four angles of one limb.

    Args:
        rng: Source of randomness.
        limb: Four (low, high) ranges in degrees, a value of the tables above.

    Returns:
        ``(flex, abd, twist, bend)`` in radians.
    """
    low, high = np.radians(np.array(limb, float).T)
    return rng.uniform(low, high)


def sample_limbs(rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray]:
    """Draw what all four limbs do.

    Which side takes which part of an uneven pose is drawn evenly, so that a
    pose says nothing about left and right.

    Args:
        rng: Source of randomness.

    Returns:
        The name of the leg pose, then the angles of the legs and of the arms,
        each (2, 4) in radians with the person's right limb first.
    """
    name = pick(rng, LEG_WEIGHTS)
    side = int(rng.integers(2))
    legs = np.stack([sample_angles(rng, limb) for limb in LEGS[name]])
    if name in ('walk', 'run') and rng.random() < 0.75:
        # The arm opposite to the leading leg swings forward.
        arms = ('back_swing', 'forward_swing')
    elif rng.random() < 0.45:
        arms = (pick(rng, ARM_WEIGHTS),) * 2
    else:
        arms = (pick(rng, ARM_WEIGHTS), pick(rng, ARM_WEIGHTS))
    arms = np.stack([sample_angles(rng, ARMS[arm]) for arm in arms])
    return (name, legs[::-1], arms[::-1]) if side else (name, legs, arms)
