"""Helpers of the studies."""

from fpd_mmpose.studies.training import as_markdown


def test_the_table_has_seeds_and_their_mean():
    table = as_markdown({'plain': [{'PCKh/Mean': 10}, {'PCKh/Mean': 13}]})
    assert table.splitlines()[-1] == '| plain | 10.0 | 13.0 | 11.5 |'
