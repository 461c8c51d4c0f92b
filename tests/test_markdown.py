"""Markdown tables."""

from fpd_mmpose.markdown import markdown_table

HEADINGS = ['', 'mean', 'note']
ROWS = [['plain', '1.0', 'a|b'], ['distilled', '12.5', '']]


def test_numbers_are_right_aligned_and_bars_escaped():
    assert markdown_table(HEADINGS, ROWS, text=(0, 2)).splitlines() == [
        '|  | mean | note |',
        '| --- | ---: | --- |',
        r'| plain | 1.0 | a\|b |',
        '| distilled | 12.5 |  |',
    ]


def test_padded_tables_are_aligned_in_the_source():
    assert markdown_table(HEADINGS, ROWS, text=(0, 2), pad=True).splitlines() == [
        '|           | mean | note |',
        '| --------- | ---: | ---- |',
        r'| plain     |  1.0 | a\|b |',
        '| distilled | 12.5 |      |',
    ]
