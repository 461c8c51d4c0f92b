"""How far apart two float32 computations of the same thing may be.

Processors, libraries, batch sizes and numbers of threads add the same products in
another order. What a test allows for that comes from here, not from what one machine
happened to give.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike

EPSILON = float(np.finfo(np.float32).eps)


def rounding(terms: int) -> float:
    """How far another order of its sums may move a result.

    Each term is rounded once, as often up as down: n of them take a result about
    sqrt(n) times the machine epsilon away.

    Args:
        terms: That a result was added up from, one sum after the other.

    Returns:
        float: A share of the largest value.
    """
    return terms**0.5 * EPSILON


#: For heatmaps of the reduced networks: up to 100 layers behind one another, most of
#: 3x3 kernels over 16 channels.
NETWORK = rounding(terms=100 * 16 * 3 * 3)


def assert_same(
    found: ArrayLike | torch.Tensor,
    expected: ArrayLike | torch.Tensor,
    share: float = NETWORK,
) -> None:
    """Fails where values differ by more than a share of the largest of them."""
    found, expected = (
        value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        for value in (found, expected)
    )
    assert found.shape == expected.shape
    np.testing.assert_allclose(
        found, expected, rtol=0, atol=share * np.abs(expected).max()
    )


def assert_same_keypoints(
    found: np.ndarray, expected: np.ndarray, within: float = 1e-3
) -> None:
    """Fails where more than a few of the joints differ by more than some pixels.

    Two pixels of a random network's heatmap may be as good as equal. Which of them is
    the maximum, or to which side it moves, is then rounding.
    """
    assert found.shape == expected.shape
    away = np.abs(found - expected).max(axis=-1)
    assert np.mean(away > within) < 0.05
