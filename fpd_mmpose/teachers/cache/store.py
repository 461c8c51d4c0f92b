"""Reads and writes the file of a stored teacher."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fpd_mmpose.errors import UserError, shown
from fpd_mmpose.readers.annotations import as_numbers
from fpd_mmpose.readers.text import parse_json

#: What follows the name of a part that cannot be used.
DAMAGED = 'is damaged: remove the file and run `fpd cache`'
#: The largest step between two levels, which keeps heatmaps finite.
LARGEST_STEP = 1e6
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

    image: str  # path of the image or video, as the dataset gives it
    frame: int  # index of the frame of a video; -1 for an image
    box: str  # x1, y1, x2, and y2 in pixels, as JSON


class StoredPerson(NamedTuple):
    """The heatmaps of a person, and the crop that the teacher got at zoom 1.

    The last three are those of :func:`~fpd_mmpose.teachers.cache.maps.pack_maps`.
    """

    center: np.ndarray  # of the padded box in pixels, (2,)
    scale: np.ndarray  # width and height of that box in pixels, (2,)
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
                    self._check_schema()
            else:
                self._connection = sqlite3.connect(
                    f'{self.path.absolute().as_uri()}?mode=ro',
                    uri=True,
                    timeout=PATIENCE,
                )
                self._check_schema()
            self.settings = self._read_settings()
        found = self.settings.get('format', FORMAT)
        if found != FORMAT:
            raise UserError(
                f'teacher cache "{self.path}" has format {shown(found)}, but'
                f' this version reads format {FORMAT}: remove the file and run '
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
            found = {}
            for key, text, done in rows:
                about = _parsed(text)
                kinds = {'name': str, 'files': dict, 'options': dict}
                if not isinstance(about, dict) or any(
                    not isinstance(about.get(field), kind)
                    for field, kind in kinds.items()
                ):
                    raise ValueError(f'the description of a dataset {DAMAGED}')
                found[key] = about, bool(done)
            return found

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

    def boxes(self) -> dict[tuple[str, int], list[tuple[np.ndarray, int]]]:
        """Returns boxes (4,) and numbers of the people by image and frame."""
        found = defaultdict(list)
        for key, number in self.keys().items():
            with self._named_errors():
                box = as_numbers(_parsed(key.box), (4,))
                if box is None or type(key.frame) is not int:
                    raise ValueError(f'record {number} {DAMAGED}')
            found[key.image, key.frame].append((box, number))
        return dict(found)

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
                for number, *record in rows:
                    found[number] = _checked(number, *record)
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
        return {name: _parsed(value) for name, value in rows}

    def _check_schema(self) -> None:
        """Refuses all but the own tables: views are endless, and triggers run."""
        with closing(sqlite3.connect(':memory:')) as own:
            for table in TABLES:
                own.execute(table)
            wrong = _schema(self._connection) ^ _schema(own)
        if wrong:
            name = min(str(name) for _, name, *_ in wrong)
            raise ValueError(
                f'`{name}` in it is not as `fpd cache` makes it: remove the file and '
                'run `fpd cache`'
            )

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


def _schema(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return {*connection.execute('SELECT type, name, tbl_name, sql FROM sqlite_master')}


def _parsed(text: Any) -> Any:
    if not isinstance(text, str):
        raise ValueError(f'one of its texts {DAMAGED}')
    return parse_json(text)


def _checked(number: int, crop: Any, step: Any, zero: Any, maps: Any) -> StoredPerson:
    place = as_numbers(_parsed(crop), (4,))
    if (
        place is None
        or not (place[2:] >= 1e-3).all()
        or not isinstance(step, float)
        or not 0 < step <= LARGEST_STEP
        or type(zero) is not int
        or not 0 <= zero <= 255
        or not isinstance(maps, bytes)
    ):
        raise ValueError(f'record {number} {DAMAGED}')
    return StoredPerson(place[:2], place[2:], step, zero, maps)
