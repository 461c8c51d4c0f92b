"""Distillation that is killed and resumed ends as an unbroken run, bit for bit."""

import os

import pytest

import kill_runs

pytestmark = [
    pytest.mark.untrained,
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork'),
]


@pytest.mark.parametrize(('kind', 'workers'), [('iterations', 2), ('epochs', 0)])
def test_it_ends_as_if_it_had_not_been_killed(tmp_path, kind, workers):
    assert not kill_runs.compare(tmp_path, kind, workers, steps=24, kills=3)


def test_a_difference_is_found():
    import torch

    one = dict(a=[torch.zeros(2), 1.0], b='x')
    assert kill_runs.same(one, dict(a=[torch.zeros(2), 1.0], b='x'))
    for other in (
        dict(a=[torch.tensor([0.0, 1e-30]), 1.0], b='x'),
        dict(a=[torch.zeros(2), 1], b='x'),
        dict(a=[torch.zeros(2)], b='x'),
        dict(a=[torch.zeros(2), 1.0]),
    ):
        assert not kill_runs.same(one, other)
