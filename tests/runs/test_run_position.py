"""A resumed loop gets the batches that it has not had."""

import pytest

from fpd_mmpose.runs.run_position import _Skipping


def one_by_one(batches: _Skipping, count: int) -> None:
    """Asks as MMEngine's loop does."""
    for _ in range(count):
        next(batches)


@pytest.mark.parametrize('ask', [one_by_one, _Skipping.skip_iter])
@pytest.mark.parametrize(('left_out', 'first'), [(2, 'a'), (0, 'c')])
def test_batches_that_the_sampler_leaves_out_are_not_read(ask, left_out, first):
    batches = _Skipping(iter('abc'), left_out)
    ask(batches, 2)
    assert next(batches) == first
