"""Random body proportions."""

from dataclasses import dataclass

import numpy as np


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
