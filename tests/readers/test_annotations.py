"""Numbers of a file are numbers, and products of them are finite."""

import pytest

from fpd_mmpose.readers.annotations import as_numbers, read_numbers
from tests.helpers.refusals import refused


@pytest.mark.parametrize(
    'value',
    [
        '3',
        None,
        [1, 2],
        {},
        float('nan'),
        float('inf'),
        1e300,
        10**400,
        [[10**400, 1.5]],
    ],
)
def test_what_is_no_usable_number(value):
    assert as_numbers(value, ()) is None


def test_ragged_and_mixed_values_are_no_numbers():
    for value in ([1, [2]], [10**400, 1.5], ['1', 2], [None, 1], [[[1, 2]]]):
        assert as_numbers(value, (2,)) is None
    assert as_numbers([1, 2.5], (2,)).tolist() == [1, 2.5]


def test_a_number_that_is_too_large_is_named():
    records = [dict(area=3.0), dict(area=1e300)]
    message = refused(read_numbers, records, ['first', 'second'], 'area')
    assert message == (
        'second has no valid `area`: expected a finite number, at most 1e+12'
    )
