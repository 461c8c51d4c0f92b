"""Random clothes, skin, and hair."""

import colorsys
from dataclasses import dataclass

import numpy as np

from fpd_mmpose.synthetic.brush import scale_color
from fpd_mmpose.synthetic.poses import Range, pick

# BGR.
_SKIN_TONES = (
    (190, 213, 245),
    (160, 190, 232),
    (130, 165, 215),
    (100, 140, 198),
    (75, 110, 168),
    (55, 82, 130),
    (42, 60, 98),
)
_HAIR_COLORS = (
    (25, 24, 28),
    (30, 40, 62),
    (42, 66, 102),
    (60, 105, 150),
    (120, 185, 220),
    (40, 75, 165),
    (165, 168, 172),
    (215, 218, 222),
)
_HAIR_STYLES = {'short': 5, 'long': 3, 'bun': 1.5, 'cap': 1.5, 'bald': 0.6}
_HEMS = {'trousers': (0.9, 0.98), 'shorts': (0.3, 0.5), 'skirt': (0.25, 0.55)}
_PATTERNS = {
    'plain': 4,
    'stripes': 2.5,
    'pinstripes': 1,
    'dots': 1,
    'block': 1.5,
    'print': 1.5,
}


def random_color(
    rng: np.random.Generator, saturation: Range, value: Range
) -> np.ndarray:
    """Draws a BGR color of any hue, given the ranges of HSV's other channels."""
    hue, s, v = rng.random(), rng.uniform(*saturation), rng.uniform(*value)
    return np.array(colorsys.hsv_to_rgb(hue, s, v)[::-1]) * 255


@dataclass(frozen=True)
class Outfit:
    """Clothes, skin, and hair, which never differ between left and right."""

    skin: np.ndarray  # BGR, like all colors
    hair: np.ndarray
    shirt: np.ndarray
    accent: np.ndarray  # of the shirt's pattern and of caps
    bottom: np.ndarray
    shoe: np.ndarray
    pattern: str
    sleeve: float  # fraction of the arm that is covered; 0.5 ends at the elbow
    garment: str  # below the waist
    hem: float  # fraction of the leg that is covered; 0.5 ends at the knee
    loose: float  # a factor on the thickness of clothes
    tucked: bool  # whether the shirt is tucked in
    neckline: float  # depth of the collar as a fraction of the torso's length
    hair_style: str
    beard: bool

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'Outfit':
        """Draws an outfit."""
        tone = _SKIN_TONES[rng.integers(len(_SKIN_TONES))]
        skin = scale_color(tone, rng.uniform(0.92, 1.06))
        tone = _HAIR_COLORS[rng.integers(len(_HAIR_COLORS))]
        hair = scale_color(tone, rng.uniform(0.85, 1.15))
        if rng.random() < 0.06:
            hair = random_color(rng, (0.5, 0.9), (0.5, 0.9))
        hair_style = pick(rng, _HAIR_STYLES)
        garment = pick(rng, {'trousers': 5, 'shorts': 3, 'skirt': 1.6})
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
            pattern=pick(rng, _PATTERNS),
            sleeve={
                'none': 0.0,
                'short': rng.uniform(0.2, 0.42),
                'long': rng.uniform(0.82, 0.98),
            }[sleeve],
            garment=garment,
            hem=rng.uniform(*_HEMS[garment]),
            loose=rng.uniform(1.02, 1.3),
            tucked=rng.random() < 0.4,
            neckline=rng.uniform(0.05, 0.22),
            hair_style=hair_style,
            beard=hair_style in ('short', 'bald', 'cap') and rng.random() < 0.25,
        )
