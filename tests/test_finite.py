"""NaN and infinity are found by the name of their tensor."""

import numpy as np
import pytest
import torch

from fpd_mmpose.finite import is_finite_number, non_finite


@pytest.mark.parametrize('value', [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.complex64])
def test_the_tensors_are_named_in_order(value, dtype):
    bad = torch.zeros(3, 2, dtype=dtype)
    bad[2, 1] = value
    tensors = dict(good=torch.ones(2), b=bad, count=torch.tensor(3), a=bad, meta='x')
    assert non_finite(tensors) == ['b', 'a']


@pytest.mark.parametrize('tensors', [{}, dict(n=torch.tensor(1), e=torch.empty(0))])
def test_nothing_to_find(tensors):
    assert not non_finite(tensors)


@pytest.mark.parametrize(
    'value', [10**400, torch.nan, torch.tensor(1j), np.complex64(1), None, '1', [1]]
)
def test_what_is_no_finite_number(value):
    assert not is_finite_number(value)


@pytest.mark.parametrize('value', [3, -0.5, np.float32(2), torch.tensor([1.0])])
def test_what_is_one(value):
    assert is_finite_number(value)
