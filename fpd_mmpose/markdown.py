"""Tables in Markdown and HTML."""

from collections.abc import Iterable, Sequence
from html import escape


def markdown_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    text: Sequence[int] = (0,),
    pad: bool = False,
) -> str:
    """Formats a table of numbers, with text in the columns that ``text`` lists.

    ``pad`` aligns the cells for readers of the source, as in a terminal.
    """
    rule = ['---:'] * len(headings)
    for column in text:
        rule[column] = '---'
    lines = [[cell.replace('|', r'\|') for cell in row] for row in (headings, *rows)]
    lines.insert(1, rule)
    if pad:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sides = ['<' if kind == '---' else '>' for kind in rule]
        lines = [
            [
                f'{cell:{"-" if line is rule else " "}{side}{width}}'
                for cell, side, width in zip(line, sides, widths, strict=True)
            ]
            for line in lines
        ]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def html_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats the rows of a table, whose cells may hold any text."""
    return ''.join(
        f'<tr>{"".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)}</tr>'
        for tag, row in (('th', headings), *(('td', row) for row in rows))
    )
