"""What a long run has done so far, so that it can go on after a kill."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

_HEADER = 'options of the run'


class Journal:
    """A file of JSON lines: the options of a run, then one line for each record.

    A line that a kill cut short is dropped when the journal is opened again.

    Args:
        path (str | Path): The file; one that exists is gone on with.
        options (dict): What the records depend on. JSON values.
        restart (bool): Whether to discard what is there. Defaults to ``False``.

    Attributes:
        records (list[dict]): Those that were there, and those that were added.

    Raises:
        ValueError: If the file is of a run with other options, is no journal or
            cannot be written. One line.
    """

    def __init__(
        self, path: str | Path, options: dict[str, Any], restart: bool = False
    ) -> None:
        self.path = Path(path)
        # What JSON makes of them, so that they compare equal to those of the file.
        options = json.loads(json.dumps(options))
        content = b''
        try:
            if self.path.exists() and not restart:
                content = self.path.read_bytes()
            content = content[: content.rfind(b'\n') + 1]
            self.records = self._parse(content, options) if content else []
            if not self.records:
                content = b''  # nothing is lost with it, whatever its options
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self.path.open('r+b' if content else 'wb')
        except OSError as error:
            raise ValueError(
                f'"{self.path}" cannot be written: {error.strerror}'
            ) from error
        self._file.truncate(len(content))
        self._file.seek(len(content))
        if not content:
            self._write([{_HEADER: options}])

    def append(self, records: list[dict]) -> None:
        """Adds records; when this returns they are on the disk.

        Args:
            records (list[dict]): JSON values.
        """
        self._write(records)
        self.records.extend(records)

    def close(self) -> None:
        """Closes the file, which stays if there are records in it."""
        self._file.close()
        if not self.records:
            self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Closes the file and removes it: what it held is written elsewhere."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self, lines: list[dict]) -> None:
        self._file.write(b''.join(json.dumps(x).encode() + b'\n' for x in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _parse(self, content: bytes, options: dict[str, Any]) -> list[dict]:
        advice = 'pass --restart to discard it and detect everything again'
        lines = []
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                lines.append(json.loads(line))
            except ValueError as error:
                raise ValueError(
                    f'"{self.path}" is damaged in line {number}: {advice}'
                ) from error
        header, *records = lines
        if not isinstance(header, dict) or not isinstance(header.get(_HEADER), dict):
            raise ValueError(f'"{self.path}" is not a journal: {advice}')
        before = header[_HEADER]
        changed = [
            f'{name} was {before.get(name)!r} and is {options.get(name)!r}'
            for name in sorted({*before, *options})
            if before.get(name) != options.get(name)
        ]
        if changed and records:
            raise ValueError(
                f'"{self.path}" is of an unfinished run with other options '
                f'({"; ".join(changed)}): run it with those to finish it, or {advice}'
            )
        return records
