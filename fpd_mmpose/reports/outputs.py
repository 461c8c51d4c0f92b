"""Writes result tables to files."""

from collections.abc import Sequence
from pathlib import Path

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.reports.bars import save_bars
from fpd_mmpose.reports.table import Table

_SUFFIXES = ('.md', '.csv', '.png')


def check_outputs(paths: Sequence[str]) -> None:
    """Raises an error for a file name whose suffix is not that of a known format."""
    for path in paths:
        if Path(path).suffix.lower() not in _SUFFIXES:
            raise UserError(
                f'output file "{path}": the name must end in {", ".join(_SUFFIXES)}'
            )


def write_outputs(paths: Sequence[str], table: Table) -> None:
    """Writes a table to files, in the formats of their suffixes."""
    for path in paths:
        suffix = Path(path).suffix.lower()
        if suffix == '.png':
            save_bars(path, table)
            continue
        text = table.markdown() + '\n' if suffix == '.md' else table.csv()
        with replace_when_done(path) as partial:
            partial.write_text(text)
