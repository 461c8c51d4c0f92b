"""Writes a result table to files."""

from collections.abc import Sequence
from pathlib import Path

from fpd_mmpose.atomic import replace_when_done

from .bars import save_bars
from .table import Table

SUFFIXES = ('.md', '.csv', '.png')


def check_outputs(paths: Sequence[str]) -> None:
    """Refuses file names that say no format, before any work is done.

    Args:
        paths (Sequence[str]): The files to write.

    Raises:
        ValueError: If one ends neither in .md, .csv nor .png. One line.
    """
    for path in paths:
        if Path(path).suffix.lower() not in SUFFIXES:
            raise ValueError(f'--out "{path}": expected {", ".join(SUFFIXES)}')


def write_outputs(paths: Sequence[str], table: Table) -> None:
    """Writes a table in the formats that the file names ask for.

    Args:
        paths (Sequence[str]): The files.
        table (Table): The table.
    """
    for path in paths:
        suffix = Path(path).suffix.lower()
        if suffix == '.png':
            save_bars(path, table)
            continue
        text = table.markdown() + '\n' if suffix == '.md' else table.csv()
        with replace_when_done(path) as partial:
            partial.write_text(text)
