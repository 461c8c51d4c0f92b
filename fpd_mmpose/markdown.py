"""Markdown tables."""

from collections.abc import Iterable, Sequence


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


def _padded(cell: str, width: int, rule: str, fill: str) -> str:
    return cell.ljust(width, fill) if rule == '---' else cell.rjust(width, fill)
