"""Sampling of the proportions of a person."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Body:
    """Proportions of one person, in units of an average standing height.

    Attributes:
        shin, thigh, foot, torso, neck, head, upper_arm, forearm, hand: Lengths.
        shoulders, hips: Half the distance between the two joints.
        girth: Factor on the thickness of limbs and torso.
    """

    shin: float
    thigh: float
    foot: float
    torso: float
    neck: float
    head: float
    upper_arm: float
    forearm: float
    hand: float
    shoulders: float
    hips: float
    girth: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Body:
        """Draw the proportions of an adult or, now and then, of a child.

        Args:
            rng: Source of randomness.

        Returns:
            The proportions.
        """
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
