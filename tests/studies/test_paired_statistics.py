"""Paired differences and their bootstrap intervals."""

import numpy as np
import pytest

from fpd_mmpose.studies import paired_difference, paired_difference_of_people


def people(rng, chance: float, seeds: int = 4, count: int = 300) -> np.ndarray:
    return rng.binomial(14, chance, size=(seeds, count))


class TestOfPeople:
    def test_the_mean_is_that_of_the_percentages(self):
        rng = np.random.default_rng(0)
        annotated = rng.integers(5, 14, 300)
        ours, theirs = (rng.integers(0, annotated, (4, 300)) for _ in range(2))
        found = paired_difference_of_people(ours, theirs, annotated)
        shares = [100 * part.sum(axis=1) / annotated.sum() for part in (ours, theirs)]
        assert found.mean == pytest.approx((shares[0] - shares[1]).mean())
        assert found.ahead == (shares[0] > shares[1]).sum() and found.pairs == 4

    def test_a_clear_gain_is_clear_of_zero(self):
        rng = np.random.default_rng(1)
        found = paired_difference_of_people(
            people(rng, 0.7), people(rng, 0.6), np.full(300, 14)
        )
        assert 0 < found.low < 10 < found.high

    def test_the_interval_covers_the_truth_as_often_as_it_says(self):
        # One seed and independent networks, so that the people are all there is.
        rng = np.random.default_rng(2)
        covered = 0
        for _ in range(200):
            ours, theirs = (people(rng, 0.6, seeds=1) for _ in range(2))
            found = paired_difference_of_people(ours, theirs, np.full(300, 14), 500)
            covered += found.low <= 0 <= found.high
        # 95% of 200, within four standard deviations.
        assert 178 <= covered <= 200

    def test_seeds_that_disagree_widen_it(self):
        rng = np.random.default_rng(3)
        theirs = people(rng, 0.5)
        steady = theirs + 1
        unsteady = theirs + np.array([[-2], [0], [2], [4]])
        widths = [
            found.high - found.low
            for each in (steady, unsteady)
            if (found := paired_difference_of_people(each, theirs, np.full(300, 14)))
        ]
        assert widths[1] > widths[0] + 10

    def test_pairing_removes_what_both_have_in_common(self):
        rng = np.random.default_rng(4)
        hard = rng.integers(0, 12, (1, 300)).repeat(3, axis=0)
        found = paired_difference_of_people(hard + 1, hard, np.full(300, 14))
        assert found.high - found.low < 0.01


class TestOfScores:
    def test_one_seed_has_no_interval(self):
        found = paired_difference([68.0], [65.5])
        assert (found.mean, found.low, found.high) == (2.5, None, None)
        assert str(found) == '+2.50'

    def test_several_have(self):
        found = paired_difference([68.0, 67.0, 64.0], [65.0, 65.0, 65.0])
        assert found.mean == pytest.approx(4 / 3)
        assert found.low < found.mean < found.high
        assert (found.ahead, found.pairs) == (2, 3)

    def test_it_is_the_same_each_time(self):
        scores = [68.0, 67.0, 64.0], [65.0, 65.0, 65.0]
        assert paired_difference(*scores) == paired_difference(*scores)
