"""What a check found."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fpd_mmpose.atomic import write_json


@dataclass
class Report:
    """Figures, problems and warnings, as text and as JSON.

    Args:
        config (str): Name of the config.
        sections (dict[str, dict]): For each title, names and figures.
        problems (list[str]): Why the run would fail. One line each.
        warnings (list[str]): What it would bear. One line each.
    """

    config: str
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def section(self, title: str) -> dict[str, Any]:
        """Gives the figures of a section, to be filled.

        Args:
            title (str): Its title.

        Returns:
            dict[str, Any]: Names and figures.
        """
        return self.sections.setdefault(title, {})

    @property
    def verdict(self) -> str:
        """The last line of the text."""
        if self.problems:
            return f'{_count(self.problems, "problem")}: the run would fail'
        return f'OK: the run can start ({_count(self.warnings, "warning")})'

    def __str__(self) -> str:
        """The whole report, for people."""
        lines = [self.config]
        for title, figures in self.sections.items():
            width = max(map(len, figures), default=0)
            lines += ['', title]
            lines += [
                f'  {name:{width}}  {_shown(value)}' for name, value in figures.items()
            ]
        for title in ('problems', 'warnings'):
            if entries := getattr(self, title):
                lines += ['', title, *(f'  - {entry}' for entry in entries)]
        return '\n'.join([*lines, '', self.verdict])

    def save(self, path: str | Path) -> None:
        """Writes the report as JSON.

        Args:
            path (str | Path): The file; its folder is made.
        """
        write_json(path, {**asdict(self), 'verdict': self.verdict}, indent=2)


def one_line(error: Exception) -> str:
    """Shows an error in one line, with its type where that says something.

    Args:
        error (Exception): Any error.

    Returns:
        str: The line.
    """
    text = ' '.join(str(error).split())
    return text if isinstance(error, ValueError) else f'{type(error).__name__}: {text}'


def _count(entries: list[str], noun: str) -> str:
    return f'{len(entries)} {noun}{"" if len(entries) == 1 else "s"}'


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f'{value:,.2f}'
    return f'{value:,}' if isinstance(value, int) else str(value)
