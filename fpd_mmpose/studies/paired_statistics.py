"""Paired differences between arms, with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: Draws of the bootstrap, and the seed of its generator.
DRAWS = 10_000
_SEED = 0
_BOUNDS = (2.5, 97.5)


@dataclass(frozen=True)
class Difference:
    """A mean paired difference with the bounds of its 95% interval.

    The bounds are None where there is nothing to draw from: one seed without scores of
    single people.
    """

    mean: float
    low: float | None
    high: float | None
    ahead: int  # in how many pairs the difference is positive
    pairs: int

    def __str__(self) -> str:
        """Formats the difference, for example as ``+2.31 [1.20, 3.40]``."""
        if self.low is None:
            return f'{self.mean:+.2f}'
        return f'{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]'


def paired_difference(scores: ArrayLike, baseline: ArrayLike) -> Difference:
    """Compares scores of paired seeds; the bootstrap draws seeds.

    Example:
        >>> from fpd_mmpose.studies import paired_difference
        >>> str(paired_difference([68.0, 67.0], [65.0, 65.0]))
        '+2.50 [+2.00, +3.00]'
    """
    pairs = np.asarray(scores, float) - np.asarray(baseline, float)
    drawn = None
    if len(pairs) > 1:
        rng = np.random.default_rng(_SEED)
        drawn = pairs[rng.integers(len(pairs), size=(DRAWS, len(pairs)))].mean(axis=1)
    return _difference(pairs, drawn)


def paired_difference_of_people(
    right: ArrayLike,
    baseline_right: ArrayLike,
    annotated: ArrayLike,
    draws: int = DRAWS,
) -> Difference:
    """Compares percentages of right joints; the bootstrap draws people and seeds.

    All seeds are scored on the same people, so that both are drawn independently
    (a crossed bootstrap), and each drawn person has all of its seeds and both networks.

    Args:
        right: (S, N) numbers of right joints for S seeds and N people.
        baseline_right: The same of the network to compare with.
        annotated: (N,) numbers of annotated joints.
        draws: Number of bootstrap draws.

    Returns:
        The difference of the percentages, over the mean of the seeds.

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.studies import paired_difference_of_people
        >>> better, worse = np.full((2, 50), 9), np.full((2, 50), 8)
        >>> str(paired_difference_of_people(better, worse, np.full(50, 10)))
        '+10.00 [+10.00, +10.00]'
    """
    annotated = np.asarray(annotated)
    gained = (np.asarray(right) - np.asarray(baseline_right)).astype(float)  # (S, N)
    seeds, people = gained.shape
    rng = np.random.default_rng(_SEED)
    times = rng.multinomial(people, np.full(people, 1 / people), size=draws)  # (B, N)
    each = 100 * (times @ gained.T) / (times @ annotated)[:, None]  # (B, S)
    share = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds
    pairs = 100 * gained.sum(axis=1) / annotated.sum()
    return _difference(pairs, (each * share).sum(axis=1))


def _difference(pairs: np.ndarray, drawn: np.ndarray | None) -> Difference:
    low, high = (None, None) if drawn is None else np.percentile(drawn, _BOUNDS)
    return Difference(
        mean=float(pairs.mean()),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        ahead=int((pairs > 0).sum()),
        pairs=len(pairs),
    )
