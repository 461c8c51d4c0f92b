"""The findings of a check."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fpd_mmpose.config_mistakes import config_mistake
from fpd_mmpose.errors import PackageError, UserError
from fpd_mmpose.files import write_json


@dataclass
class Report:
    """Findings about a config, as text or JSON.

    A section has values by name. The run would fail because of a problem, but not
    because of a warning; either is one line.
    """

    config: str
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def section(self, title: str) -> dict[str, Any]:
        """Returns a section, which is created if necessary and can be changed."""
        return self.sections.setdefault(title, {})

    @property
    def verdict(self) -> str:
        """The last line of the report."""
        if self.problems:
            return f'{count(self.problems, "problem")}: the run would fail'
        return f'OK: the run can start ({count(self.warnings, "warning")})'

    def __str__(self) -> str:
        lines = [self.config]
        for title, section in self.sections.items():
            width = max(map(len, section), default=0)
            lines += ['', title]
            lines += [
                f'  {name:{width}}  {_format(value)}' for name, value in section.items()
            ]
        for title in ('problems', 'warnings'):
            if entries := getattr(self, title):
                lines += ['', title, *(f'  - {entry}' for entry in entries)]
        return '\n'.join([*lines, '', self.verdict])

    def save(self, path: str | Path) -> None:
        """Saves the report as JSON; creates missing folders."""
        write_json(path, {**asdict(self), 'verdict': self.verdict}, indent=2)


def one_line(error: Exception) -> str:
    """Formats an error as one line, with its type unless the message was ours."""
    text = ' '.join(str(error).split())
    if isinstance(error, UserError | PackageError):
        return text
    return config_mistake(error) or f'{type(error).__name__}: {text}'


def count(entries: list[str], noun: str) -> str:
    """Counts entries for a message, in the singular or plural."""
    return f'{len(entries)} {noun}{"" if len(entries) == 1 else "s"}'


def _format(value: Any) -> str:
    if isinstance(value, float):
        return f'{value:,.2f}'
    return f'{value:,}' if isinstance(value, int) else str(value)
