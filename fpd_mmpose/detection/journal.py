"""A record of the progress of a long run, which continues from it after a kill."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.text import parse_json

_HEADER = 'options of the run'


class Journal:
    """A file of JSON lines: the options of a run, and then its records.

    Opening an existing file restores its records; the options must be the same. A line
    that a kill truncated is dropped. ``restart`` discards an existing file.
    """

    def __init__(
        self, path: str | Path, options: dict[str, Any], restart: bool = False
    ) -> None:
        self.path = Path(path)
        # Through JSON and back, so that they compare equal to those of the file.
        options = json.loads(json.dumps(options))
        content = b''
        try:
            if self.path.exists() and not restart:
                content = self.path.read_bytes()
            content = content[: content.rfind(b'\n') + 1]
            self.records = self._parse(content, options) if content else []
            if not self.records:
                content = b''  # nothing is lost, whatever its options
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self.path.open('r+b' if content else 'wb')
        except OSError as error:
            raise UserError(
                f'"{self.path}" cannot be written: {error.strerror}'
            ) from error
        self._file.truncate(len(content))
        self._file.seek(len(content))
        if not content:
            self._write([{_HEADER: options}])

    def append(self, records: list[dict[str, Any]]) -> None:
        """Adds records of JSON values, and returns once they are on disk."""
        self._write(records)
        self.records.extend(records)

    def close(self) -> None:
        """Closes the file, and deletes it if it has no records."""
        self._file.close()
        if not self.records:
            self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Closes and deletes the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self, lines: list[dict[str, Any]]) -> None:
        self._file.write(b''.join(json.dumps(x).encode() + b'\n' for x in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _parse(self, content: bytes, options: dict[str, Any]) -> list[dict[str, Any]]:
        advice = 'set `restart` to discard it and start over'
        lines = []
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                lines.append(parse_json(line))
            except ValueError as error:
                raise UserError(
                    f'"{self.path}", line {number}, is damaged: {advice}'
                ) from error
        header, *records = lines
        if not all(isinstance(line, dict) for line in lines) or not isinstance(
            header.get(_HEADER), dict
        ):
            raise UserError(f'"{self.path}" is not a journal: {advice}')
        before = header[_HEADER]
        changed = [
            f'{name} was {before.get(name)!r} and is {options.get(name)!r}'
            for name in sorted({*before, *options})
            if before.get(name) != options.get(name)
        ]
        if changed and records:
            raise UserError(
                f'"{self.path}" belongs to an unfinished run with other options '
                f'({"; ".join(changed)}): use those to finish it, or {advice}'
            )
        return records
