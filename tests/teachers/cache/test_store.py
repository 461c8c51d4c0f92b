"""Several processes may write a file, and a killed one leaves it intact."""

import multiprocessing
import os
import signal
import sqlite3

import numpy as np
import pytest

from fpd_mmpose.teachers.cache.store import (
    TABLES,
    HeatmapStore,
    PersonKey,
    StoredPerson,
)
from tests.helpers.refusals import refused

fork = multiprocessing.get_context('fork')


def person(number: int) -> tuple[PersonKey, StoredPerson]:
    key = PersonKey(f'{number}.jpg', -1, f'[0.0, 0.0, 9.0, {number}.0]')
    center = np.array([number, 2.5])
    return key, StoredPerson(
        center, center * 2 + 1, 0.5, 0, bytes([number % 256]) * 2000
    )


def write(path, numbers) -> None:
    store = HeatmapStore(path, write=True)
    store.claim({'zooms': [1.0]})
    for start in range(0, len(numbers), 4):
        store.add(person(number) for number in numbers[start : start + 4])


def killed_while_writing(path) -> None:
    def people():
        yield from map(person, range(100, 104))
        os.kill(os.getpid(), signal.SIGKILL)

    store = HeatmapStore(path, write=True)
    # A kill between the records of one transaction.
    with store._transaction():
        for key, one in people():
            store._connection.execute(
                'INSERT INTO people (image, frame, box, crop, step, zero, maps) '
                "VALUES (?, ?, ?, '[]', 0, 0, ?)",
                (*key, one.maps),
            )


def refusal(*args, **kwargs) -> str:
    return refused(HeatmapStore, *args, **kwargs)


def test_simultaneous_writers_lose_nothing(tmp_path):
    path = tmp_path / 'cache.sqlite'
    parts = [range(start, start + 60) for start in (0, 20, 40, 60)]
    processes = [fork.Process(target=write, args=(path, part)) for part in parts]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    store = HeatmapStore(path)
    keys = store.keys()
    assert len(keys) == 120
    for number in range(120):
        key, expected = person(number)
        found = store.read([keys[key]])[0]
        assert found.maps == expected.maps
        assert np.array_equal(found.center, expected.center)
    check = sqlite3.connect(path).execute('PRAGMA integrity_check').fetchone()
    assert check == ('ok',)


def test_a_kill_leaves_the_earlier_records(tmp_path):
    path = tmp_path / 'cache.sqlite'
    write(path, range(8))
    process = fork.Process(target=killed_while_writing, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(HeatmapStore(path).keys()) == 8
    write(path, range(6, 12))
    assert len(HeatmapStore(path).keys()) == 12


def test_records_are_read_in_the_requested_order(tmp_path):
    path = tmp_path / 'cache.sqlite'
    write(path, range(1000))
    store = HeatmapStore(path)
    keys = store.keys()
    numbers = [keys[person(number)[0]] for number in range(999, -1, -1)] * 2
    found = store.read(numbers)
    assert [one.center[0] for one in found] == [*range(999, -1, -1)] * 2


def test_missing_damaged_and_foreign_files_are_named(tmp_path):
    path = tmp_path / 'cache.sqlite'
    assert 'does not exist: run `fpd cache`' in refusal(path)
    path.write_bytes(b'no database' * 100)
    assert 'cannot be used: file is not a database' in refusal(path)
    path.unlink()
    write(path, [1])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE settings SET value = 7 WHERE name = 'format'")
    assert 'has format 7' in refusal(path)
    folder = tmp_path / 'file' / 'cache.sqlite'
    folder.parent.write_text('')
    assert 'cannot be used' in refusal(folder, write=True)


def damaged(path, statement: str, *values) -> HeatmapStore:
    path.unlink(missing_ok=True)
    write(path, [1])
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    return HeatmapStore(path)


_ENDLESS = (
    'WITH RECURSIVE n(name) AS (SELECT 1 UNION ALL SELECT name + 1 FROM n) '
    'SELECT name AS rowid, name, 2 AS value FROM n'
)


@pytest.mark.parametrize('write', [False, True])
@pytest.mark.parametrize(
    'named, script',
    [
        ('settings', f'DROP TABLE settings; CREATE VIEW settings AS {_ENDLESS}'),
        (
            'settings',
            f'DROP TABLE settings; CREATE VIEW v AS {_ENDLESS}; '
            "CREATE VIRTUAL TABLE settings USING fts5(name, value, content='v')",
        ),
        (
            'settings',
            'DROP TABLE settings; CREATE TABLE settings (name TEXT PRIMARY KEY, '
            'value TEXT AS (zeroblob(1 << 29)))',
        ),
        ('more', 'CREATE TABLE more (name TEXT)'),
        ('more', 'CREATE INDEX more ON people (zeroblob(1 << 29))'),
        (
            'more',
            'CREATE TRIGGER more AFTER INSERT ON sources BEGIN DELETE FROM people; END',
        ),
    ],
)
def test_a_file_with_more_than_the_own_tables_is_refused_as_it_is(
    named, script, write, tmp_path
):
    path = tmp_path / 'cache.sqlite'
    with sqlite3.connect(path) as connection:
        connection.executescript(f'{"; ".join(TABLES)}; {script}')
    content = path.read_bytes()
    message = refusal(path, write=write)
    assert f'`{named}` in it is not as `fpd cache` makes it' in message
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    'column, value',
    [
        ('crop', '[1, 2, "3", 4]'),
        ('crop', '[1, 2, 3]'),
        ('crop', '[1, 2, 0, 4]'),
        ('crop', 3),
        ('step', 'text'),
        ('step', 1e300),
        ('step', None),
        ('zero', -1),
        ('maps', 'text'),
    ],
)
def test_a_record_of_wrong_types_is_named(column, value, tmp_path):
    store = damaged(tmp_path / 'cache.sqlite', f'UPDATE people SET {column} = ?', value)
    assert 'is damaged: remove the file' in refused(store.read, [1])


def test_a_box_or_a_dataset_of_wrong_types_is_named(tmp_path):
    path = tmp_path / 'cache.sqlite'
    store = damaged(path, 'UPDATE people SET box = ?', '["1", 2, 3, 4]')
    assert 'record 1 is damaged' in refused(store.boxes)
    store = damaged(path, "INSERT INTO sources VALUES ('a', ?, 1)", '{"name": 3}')
    assert 'the description of a dataset is damaged' in refused(store.sources)
