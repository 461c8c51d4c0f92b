"""The file of a stored teacher."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fpd_mmpose.errors import UserError

#: Of the file's layout; files of others are not read.
FORMAT = 1
#: Seconds that a process waits for another one that writes.
PATIENCE = 120
#: SQLite takes this many parameters in a query on any build.
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
    """What a person is recognised by.

    Args:
        image (str): Path of the image or video, as the data set gives it.
        frame (int): Of a video; -1 for an image.
        box (str): x1, y1, x2 and y2 in pixels, as JSON.
    """

    image: str
    frame: int
    box: str


class StoredPerson(NamedTuple):
    """What the teacher said of a person.

    Args:
        center (np.ndarray): Of the padded box in pixels, (2,).
        scale (np.ndarray): Its width and height in pixels, (2,).
        step (float): See :func:`~fpd_mmpose.teachers.cache.maps.pack_maps`.
        zero (int): The same.
        maps (bytes): The same.
    """

    center: np.ndarray
    scale: np.ndarray
    step: float
    zero: int
    maps: bytes


class HeatmapStore:
    """A SQLite file of heatmaps, which several processes may write at once.

    What is added together is there as a whole or not at all, also after a kill.

    Args:
        path (str | Path): The file.
        write (bool): Whether to make it where it is missing. Defaults to False.

    Raises:
        UserError: If it is missing, cannot be used, or is no such file. One line.
    """

    def __init__(self, path: str | Path, write: bool = False):
        self.path = Path(path)
        if not write and not self.path.is_file():
            raise UserError(
                f'teacher cache "{self.path}" does not exist: tools/cache_teacher.py '
                'makes it'
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
                f'and this version reads format {FORMAT}: make it again'
            )

    def claim(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Writes what all heatmaps depend on, if nobody has yet.

        Args:
            settings (dict): JSON values.

        Returns:
            dict: Those that the file has.
        """
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
        """Notes a data set.

        Args:
            key (str): What it is recognised by.
            about (dict): What it is. JSON values.
            finished (bool): Whether all of its people are stored.
        """
        with self._named_errors(), self._transaction():
            self._connection.execute(
                'INSERT OR REPLACE INTO sources VALUES (?, ?, ?)',
                (key, json.dumps(about), finished),
            )

    def sources(self) -> dict[str, tuple[dict[str, Any], bool]]:
        """Gives the data sets: by key what each is, and whether it is finished."""
        with self._named_errors():
            rows = self._connection.execute('SELECT key, about, finished FROM sources')
            return {key: (json.loads(about), bool(done)) for key, about, done in rows}

    def add(self, people: Iterable[tuple[PersonKey, StoredPerson]]) -> None:
        """Adds people; those that are there already stay as they are.

        Args:
            people (Iterable[tuple[PersonKey, StoredPerson]]): The people.
        """
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
        """Gives the number of each person's record."""
        with self._named_errors():
            rows = self._connection.execute('SELECT image, frame, box, id FROM people')
            return {PersonKey(*key): number for *key, number in rows}

    def missing(self, keys: Sequence[PersonKey]) -> list[int]:
        """Gives the positions of those people that are not there.

        Args:
            keys (Sequence[PersonKey]): People.
        """
        query = 'SELECT 1 FROM people WHERE image = ? AND frame = ? AND box = ?'
        with self._named_errors():
            return [
                position
                for position, key in enumerate(keys)
                if not self._connection.execute(query, key).fetchone()
            ]

    def read(self, numbers: Sequence[int]) -> list[StoredPerson]:
        """Reads records.

        Args:
            numbers (Sequence[int]): As :meth:`keys` gives them.

        Returns:
            list[StoredPerson]: In the same order.
        """
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
                    crop = np.array(json.loads(crop))
                    found[number] = StoredPerson(crop[:2], crop[2:], *maps)
        return [found[number] for number in numbers]

    def size(self) -> tuple[int, int]:
        """Counts the people, and the bytes of the file."""
        with self._named_errors():
            count = self._connection.execute('SELECT COUNT(*) FROM people').fetchone()
        return count[0], self.path.stat().st_size

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _read_settings(self) -> dict[str, Any]:
        rows = self._connection.execute('SELECT name, value FROM settings')
        return {name: json.loads(value) for name, value in rows}

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
        except (sqlite3.Error, OSError) as error:
            raise UserError(
                f'teacher cache "{self.path}" cannot be used: {error}'
            ) from error
