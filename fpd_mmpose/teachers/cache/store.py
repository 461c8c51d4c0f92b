"""Reads and writes the file of a stored teacher."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.text import parse_json

#: The version of the file's layout; no other is read.
FORMAT = 1
#: Seconds to wait for another process that is writing.
PATIENCE = 120
#: Every build of SQLite takes this many parameters in a query.
MOST_PARAMETERS = 900
TABLES = (
    'CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT)',
    'CREATE TABLE IF NOT EXISTS sources '
    '(key TEXT PRIMARY KEY, about TEXT, finished INTEGER DEFAULT 0)',
    'CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, image TEXT, '
    'frame INTEGER, box TEXT, crop TEXT, step REAL, zero INTEGER, maps BLOB, '
    'UNIQUE (image, frame, box))',
)


class PersonKey(NamedTuple):
    """Identifies a person."""

    #: Path of the image or video, as the dataset gives it.
    image: str
    #: Index of the frame of a video; -1 for an image.
    frame: int
    #: x1, y1, x2, and y2 in pixels, as JSON.
    box: str


class StoredPerson(NamedTuple):
    """The heatmaps of a person, and the crop that the teacher got at zoom 1."""

    #: Center of the padded box in pixels, (2,).
    center: np.ndarray
    #: Width and height of the padded box in pixels, (2,).
    scale: np.ndarray
    #: The step, zero, and levels of :func:`~fpd_mmpose.teachers.cache.maps.pack_maps`.
    step: float
    zero: int
    maps: bytes


class HeatmapStore:
    """A SQLite file of heatmaps, which several processes may write at the same time.

    Each call stores all of its people or, if it is killed, none. With ``write``, the
    file is created if it is missing.
    """

    def __init__(self, path: str | Path, write: bool = False) -> None:
        self.path = Path(path)
        if not write and not self.path.is_file():
            raise UserError(
                f'teacher cache "{self.path}" does not exist: run `fpd cache` to make '
                'it'
            )
        with self._named_errors():
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = sqlite3.connect(
                    self.path, timeout=PATIENCE, isolation_level=None
                )
                with self._transaction():
                    for table in TABLES:
                        self._connection.execute(table)
            else:
                self._connection = sqlite3.connect(
                    f'{self.path.absolute().as_uri()}?mode=ro',
                    uri=True,
                    timeout=PATIENCE,
                )
            self.settings = self._read_settings()
        if self.settings.get('format', FORMAT) != FORMAT:
            raise UserError(
                f'teacher cache "{self.path}" has format {self.settings["format"]}, '
                f'but this version reads format {FORMAT}: remove the file and run '
                '`fpd cache`'
            )

    def claim(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Writes settings, JSON values, to a file without any; returns the file's."""
        with self._named_errors(), self._transaction():
            if not self._read_settings():
                self._connection.executemany(
                    'INSERT INTO settings VALUES (?, ?)',
                    [
                        (name, json.dumps(value))
                        for name, value in {'format': FORMAT, **settings}.items()
                    ],
                )
            self.settings = self._read_settings()
        return self.settings

    def add_source(self, key: str, about: dict[str, Any], finished: bool) -> None:
        """Records a dataset by key, with its description and whether it is finished."""
        with self._named_errors(), self._transaction():
            self._connection.execute(
                'INSERT OR REPLACE INTO sources VALUES (?, ?, ?)',
                (key, json.dumps(about), finished),
            )

    def sources(self) -> dict[str, tuple[dict[str, Any], bool]]:
        """Returns by key the description of each dataset and whether it is finished."""
        with self._named_errors():
            rows = self._connection.execute('SELECT key, about, finished FROM sources')
            return {key: (parse_json(about), bool(done)) for key, about, done in rows}

    def add(self, people: Iterable[tuple[PersonKey, StoredPerson]]) -> None:
        """Adds people, and leaves those that are already stored unchanged."""
        rows = [
            (
                *key,
                json.dumps([*map(float, person.center), *map(float, person.scale)]),
                person.step,
                person.zero,
                person.maps,
            )
            for key, person in people
        ]
        with self._named_errors(), self._transaction():
            self._connection.executemany(
                'INSERT OR IGNORE INTO people '
                '(image, frame, box, crop, step, zero, maps) '
                'VALUES (?, ?, ?, ?, ?, ?, ?)',
                rows,
            )

    def keys(self) -> dict[PersonKey, int]:
        """Returns the number of each person's record."""
        with self._named_errors():
            rows = self._connection.execute('SELECT image, frame, box, id FROM people')
            return {PersonKey(*key): number for *key, number in rows}

    def missing(self, keys: Sequence[PersonKey]) -> list[int]:
        """Returns the positions of the people that are not stored."""
        query = 'SELECT 1 FROM people WHERE image = ? AND frame = ? AND box = ?'
        with self._named_errors():
            return [
                position
                for position, key in enumerate(keys)
                if not self._connection.execute(query, key).fetchone()
            ]

    def read(self, numbers: Sequence[int]) -> list[StoredPerson]:
        """Reads records by number, in the given order."""
        found = {}
        with self._named_errors():
            for start in range(0, len(numbers), MOST_PARAMETERS):
                part = numbers[start : start + MOST_PARAMETERS]
                rows = self._connection.execute(
                    'SELECT id, crop, step, zero, maps FROM people WHERE id IN '
                    f'({", ".join("?" * len(part))})',
                    part,
                )
                for number, crop, *maps in rows:
                    crop = np.array(parse_json(crop))
                    found[number] = StoredPerson(crop[:2], crop[2:], *maps)
        return [found[number] for number in numbers]

    def size(self) -> tuple[int, int]:
        """Returns the number of people, and the size of the file in bytes."""
        with self._named_errors():
            count = self._connection.execute('SELECT COUNT(*) FROM people').fetchone()
        return count[0], self.path.stat().st_size

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _read_settings(self) -> dict[str, Any]:
        rows = self._connection.execute('SELECT name, value FROM settings')
        return {name: parse_json(value) for name, value in rows}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute('BEGIN IMMEDIATE')
        try:
            yield
        except BaseException:
            self._connection.execute('ROLLBACK')
            raise
        self._connection.execute('COMMIT')

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise UserError(
                f'teacher cache "{self.path}" cannot be used: {error}'
            ) from error
