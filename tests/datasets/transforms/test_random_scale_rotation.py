"""The reference's random scale and rotation."""

import math

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

from fpd_mmpose.datasets import RandomScaleRotation

BOXES = 20_000


def draw(**arguments: float) -> tuple[np.ndarray, np.ndarray]:
    """Draws factors and angles of many boxes."""
    results = {'bbox_scale': np.ones((BOXES, 2))}
    results = RandomScaleRotation(**arguments)(results)
    factors = results['bbox_scale']
    np.testing.assert_array_equal(factors[:, 0], factors[:, 1])
    return factors[:, 0], results['bbox_rotation']


def clipped_normal(limit: float) -> tuple[float, float]:
    """Computes the mass at a bound and the deviation of clipped N(0, 1)."""
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    tail = math.erfc(limit / math.sqrt(2)) / 2
    variance = 1 - 2 * tail - 2 * limit * density + 2 * tail * limit**2
    return tail, math.sqrt(variance)


@pytest.mark.parametrize('spread', [0.25, 0.35])
def test_factors_are_normal_draws_clipped_to_one_deviation(spread):
    factors, _ = draw(scale_factor=spread)
    assert factors.min() == 1 - spread and factors.max() == 1 + spread
    tail, deviation = clipped_normal(1)
    assert tail == pytest.approx(0.1587, abs=1e-4)
    assert np.mean(factors == 1 - spread) == pytest.approx(tail, abs=0.01)
    assert np.mean(factors == 1 + spread) == pytest.approx(tail, abs=0.01)
    assert factors.std() == pytest.approx(spread * deviation, rel=0.02)
    assert factors.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize('spread', [30, 45])
def test_angles_are_normal_draws_clipped_to_two_deviations(spread):
    _, angles = draw(rotation_factor=spread, prob=1)
    assert angles.min() == -2 * spread and angles.max() == 2 * spread
    tail, deviation = clipped_normal(2)
    assert tail == pytest.approx(0.0228, abs=1e-4)
    assert np.mean(angles == -2 * spread) == pytest.approx(tail, abs=0.005)
    assert np.mean(angles == 2 * spread) == pytest.approx(tail, abs=0.005)
    assert angles.std() == pytest.approx(spread * deviation, rel=0.02)
    assert angles.mean() == pytest.approx(0, abs=0.02 * spread)


@pytest.mark.parametrize('prob', [0.6, 0.3])
def test_every_box_is_scaled_and_a_share_is_rotated(prob):
    factors, angles = draw(prob=prob)
    assert np.mean(angles != 0) == pytest.approx(prob, abs=0.015)
    assert (factors != 1).all()
    # Rotation and scale are independent.
    assert abs(np.corrcoef(factors, angles != 0)[0, 1]) < 0.03


def test_the_defaults_are_those_for_mpii():
    _, angles = draw()
    assert np.abs(angles).max() == 60
    assert np.mean(angles != 0) == pytest.approx(0.6, abs=0.015)
    np.random.seed(0)
    default = draw()
    np.random.seed(0)
    np.testing.assert_array_equal(
        default, draw(scale_factor=0.25, rotation_factor=30, prob=0.6)
    )


def test_probability_0_never_rotates_and_1_always_does():
    assert not draw(prob=0)[1].any()
    assert draw(prob=1)[1].all()


def test_factors_of_0_change_nothing():
    factors, angles = draw(scale_factor=0, rotation_factor=0, prob=1)
    assert (factors == 1).all() and (angles == 0).all()


def test_draws_depend_on_the_seed_of_numpy():
    def seeded(seed: int) -> np.ndarray:
        np.random.seed(seed)
        return np.stack(draw())

    np.testing.assert_array_equal(seeded(3), seeded(3))
    assert (seeded(3)[0] != seeded(4)[0]).any()
    assert (seeded(3)[1] != seeded(4)[1]).any()


def test_each_box_has_its_own_factor_and_keeps_its_center():
    scale = np.array([[100.0, 200.0], [40.0, 30.0]])
    results = dict(
        bbox_scale=scale.copy(), bbox_center=np.array([[5.0, 6.0], [7.0, 8.0]])
    )
    out = RandomScaleRotation()(dict(results))
    factors = out['bbox_scale'] / scale
    np.testing.assert_allclose(factors[:, 0], factors[:, 1])
    assert factors[0, 0] != factors[1, 0]
    assert out['bbox_rotation'].shape == (2,)
    # The box is not shifted, and the input array is not changed.
    np.testing.assert_array_equal(out['bbox_center'], results['bbox_center'])
    np.testing.assert_array_equal(results['bbox_scale'], scale)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(scale_factor=1), r'scale_factor must be in \[0, 1\), got 1'),
        (dict(scale_factor=-0.1), 'scale_factor'),
        (dict(rotation_factor=-1), 'rotation_factor must be >= 0, got -1'),
        (dict(prob=1.1), r'prob must be in \[0, 1\], got 1.1'),
        (dict(prob=-0.1), 'prob'),
    ],
    ids=str,
)
def test_an_argument_out_of_range_is_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomScaleRotation(**arguments)


def test_it_is_registered_and_shows_its_arguments():
    transform = TRANSFORMS.build(
        dict(type='RandomScaleRotation', scale_factor=0.35, rotation_factor=45)
    )
    assert repr(transform) == (
        'RandomScaleRotation(scale_factor=0.35, rotation_factor=45, prob=0.6)'
    )
