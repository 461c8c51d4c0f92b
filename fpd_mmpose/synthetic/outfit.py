"""Sampling of what a person wears, and of skin and hair."""

from __future__ import annotations

import colorsys
import dataclasses

import numpy as np

from .brush import vary
from .poses import pick

# BGR tones from light to dark.
_SKINS = (
    (190, 213, 245),
    (160, 190, 232),
    (130, 165, 215),
    (100, 140, 198),
    (75, 110, 168),
    (55, 82, 130),
    (42, 60, 98),
)
_HAIRS = (
    (25, 24, 28),
    (30, 40, 62),
    (42, 66, 102),
    (60, 105, 150),
    (120, 185, 220),
    (40, 75, 165),
    (165, 168, 172),
    (215, 218, 222),
)


def random_color(
    rng: np.random.Generator,
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> np.ndarray:
    """Draw a colour of any hue.

    Args:
        rng: Source of randomness.
        saturation: (low, high) of HSV's saturation, in [0, 1].
        value: (low, high) of HSV's value, in [0, 1].

    Returns:
        (3,) BGR in [0, 255].
    """
    hue, s, v = rng.random(), rng.uniform(*saturation), rng.uniform(*value)
    return np.array(colorsys.hsv_to_rgb(hue, s, v)[::-1]) * 255


@dataclasses.dataclass(frozen=True)
class Outfit:
    """Clothes, skin and hair; none of it differs between left and right.

    Attributes:
        skin, hair, shirt, accent, bottom, shoe: (3,) BGR colours; ``accent``
            is that of the shirt's pattern.
        pattern: ``'plain'``, ``'stripes'``, ``'pinstripes'``, ``'dots'``,
            ``'block'`` or ``'print'``.
        sleeve: Covered share of the arm; 0.5 ends at the elbow.
        garment: ``'trousers'``, ``'shorts'`` or ``'skirt'``.
        hem: Covered share of the leg; 0.5 ends at the knee.
        loose: Factor on the thickness of clothes.
        tucked: Whether the shirt is worn inside the garment.
        neckline: Depth of the collar as a share of the torso's length.
        hair_style: ``'short'``, ``'long'``, ``'bun'``, ``'cap'`` or ``'bald'``.
        beard: Whether the face has one.
    """

    skin: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray
    accent: np.ndarray
    bottom: np.ndarray
    shoe: np.ndarray
    pattern: str
    sleeve: float
    garment: str
    hem: float
    loose: float
    tucked: bool
    neckline: float
    hair_style: str
    beard: bool

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Outfit:
        """Draw an outfit.

        Args:
            rng: Source of randomness.

        Returns:
            The outfit.
        """
        skin = vary(_SKINS[rng.integers(len(_SKINS))], rng.uniform(0.92, 1.06))
        hair = vary(_HAIRS[rng.integers(len(_HAIRS))], rng.uniform(0.85, 1.15))
        if rng.random() < 0.06:
            hair = random_color(rng, (0.5, 0.9), (0.5, 0.9))
        style = pick(rng, {'short': 5, 'long': 3, 'bun': 1.5, 'cap': 1.5, 'bald': 0.6})
        garment = pick(rng, {'trousers': 5, 'shorts': 3, 'skirt': 1.6})
        hem = {'trousers': (0.9, 0.98), 'shorts': (0.3, 0.5), 'skirt': (0.25, 0.55)}[
            garment
        ]
        shirt = random_color(rng, (0.05, 0.85), (0.3, 0.98))
        accent = random_color(rng, (0.1, 0.9), (0.15, 1.0))
        bottom = random_color(rng, (0.05, 0.6), (0.18, 0.85))
        sleeve = pick(rng, {'none': 1, 'short': 4, 'long': 3.5})
        return cls(
            skin=skin,
            hair=hair,
            shirt=shirt,
            accent=accent,
            bottom=bottom,
            shoe=random_color(rng, (0.0, 0.8), (0.12, 0.95)),
            pattern=pick(
                rng,
                {
                    'plain': 4,
                    'stripes': 2.5,
                    'pinstripes': 1,
                    'dots': 1,
                    'block': 1.5,
                    'print': 1.5,
                },
            ),
            sleeve={
                'none': 0.0,
                'short': rng.uniform(0.2, 0.42),
                'long': rng.uniform(0.82, 0.98),
            }[sleeve],
            garment=garment,
            hem=rng.uniform(*hem),
            loose=rng.uniform(1.02, 1.3),
            tucked=rng.random() < 0.4,
            neckline=rng.uniform(0.05, 0.22),
            hair_style=style,
            beard=style in ('short', 'bald', 'cap') and rng.random() < 0.25,
        )
