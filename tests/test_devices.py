"""A device is chosen, or refused in one line."""

import pytest

from fpd_mmpose.devices import pick_device
from fpd_mmpose.errors import UserError


def test_devices_that_work():
    assert pick_device('cpu') == 'cpu'
    assert pick_device() in ('cpu', 'cuda:0')


@pytest.mark.parametrize('name', ['cuda:99', 'gpu'])
def test_devices_that_do_not(name):
    with pytest.raises(UserError, match=f'^device "{name}": .*; use cpu, cuda:0, or'):
        pick_device(name)
