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
        lines = [
            [
                _padded(cell, width, rule[column], '-' if line is rule else ' ')
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
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


def _padded(cell: str, width: int, rule: str, fill: str) -> str:
    return cell.ljust(width, fill) if rule == '---' else cell.rjust(width, fill)
