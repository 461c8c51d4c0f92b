"""Runs the tries in processes of their own, and remembers what they found."""

import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import mmpose
import torch

from matrix.kinds import ROOT, Entry, Kind, config_names, one_line, read, survey
from matrix.people import with_people
from matrix.tries import BREAKS, Tries

PROJECT = Path(__file__).resolve().parents[2]
ROLES = ('teacher', 'student', 'stored', 'export')


class Journal:
    """A file of one record a line, each found again by what it depends on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, dict[str, Any]] = {}
        if path.is_file():
            for line in path.read_text(encoding='utf-8').splitlines():
                record = json.loads(line)
                self.records[record['key']] = record

    def add(self, record: dict[str, Any]) -> None:
        """Appends a record."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(record) + '\n')
        self.records[record['key']] = record


def survey_all(journal: Journal, names: Sequence[str] | None = None) -> list[Entry]:
    """Sorts the configs into kinds; all that MMPose ships by default."""
    entries = []
    for name in config_names() if names is None else names:
        key = _hash('config', name, _text_of(name), *_versions(), _source('kinds.py'))
        record = journal.records.get(key)
        if record is None:
            record = dict(key=key, **survey(name)._asdict())
            journal.add(record)
        entries.append(_entry(record))
    return entries


def find_results(
    journal: Journal, entries: Iterable[Entry], any_source: bool = False
) -> dict[Kind, dict[str, Any]]:
    """Finds what is known of kinds by their representatives.

    ``any_source`` accepts what other versions of this project found.
    """
    found = {}
    for entry in entries:
        key = key_of(entry)
        if key in journal.records:
            found[entry.kind] = journal.records[key]
        elif any_source:
            for record in journal.records.values():  # the last is the newest
                if record.get('config') == entry.name:
                    found[entry.kind] = record
    return found


def key_of(entry: Entry) -> str:
    """Hashes what the results of a kind depend on."""
    sources = sorted((PROJECT / 'fpd_mmpose').rglob('*.py'))
    sources += sorted((PROJECT / 'dev/matrix').glob('*.py'))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
    return _hash('kind', entry.name, _text_of(entry.name), *_versions(), *digests)


def run_all(
    entries: Sequence[Entry],
    journal: Journal,
    jobs: int,
    limit: float,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Tries each config in a process of its own, ``jobs`` at a time.

    A process that dies or needs more than ``limit`` seconds ends only its own try.
    """
    context = multiprocessing.get_context('fork')
    waiting, running = list(entries), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            entry = waiting.pop(0)
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_send_results, args=(entry, sender))
            process.start()
            sender.close()
            running[receiver] = (process, entry, time.monotonic())
        for receiver in wait(list(running), timeout=1):
            assert isinstance(receiver, Connection)
            process, entry, start = running.pop(receiver)
            try:
                found = receiver.recv()
            except EOFError:
                process.join()
                found = dict.fromkeys(
                    ROLES, (BREAKS, f'the process ended with {process.exitcode}')
                )
            process.join()
            _finish(journal, entry, found, start, report)
        for receiver, (process, entry, start) in list(running.items()):
            if time.monotonic() - start > limit:
                del running[receiver]
                process.kill()
                process.join()
                late = (BREAKS, f'not finished within {limit:.0f} s')
                _finish(journal, entry, dict.fromkeys(ROLES, late), start, report)


def try_config(name: str, roles: tuple[str, ...] = ROLES) -> dict[str, tuple[str, str]]:
    """Tries a config of MMPose in each of the roles."""
    with tempfile.TemporaryDirectory() as folder:
        return Tries(with_people(read(name), Path(folder)), Path(folder)).run(roles)


def _send_results(entry: Entry, sender: Connection) -> None:
    torch.set_num_threads(1)
    # Progress bars and advice of several processes would hide the results.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        found = try_config(entry.name)
    except Exception as error:
        found = dict.fromkeys(ROLES, (BREAKS, one_line(error)))
    sender.send(found)


def _finish(
    journal: Journal,
    entry: Entry,
    found: dict[str, tuple[str, str]],
    start: float,
    report: Callable[[dict[str, Any]], None],
) -> None:
    record = dict(
        key=key_of(entry),
        config=entry.name,
        kind=list(entry.kind),
        date=time.strftime('%Y-%m-%d'),
        seconds=round(time.monotonic() - start),
        found={role: list(result) for role, result in found.items()},
    )
    journal.add(record)
    report(record)


def _entry(record: dict[str, Any]) -> Entry:
    name, kind, cost, fault = (record[field] for field in Entry._fields)
    return Entry(name, Kind(*kind), cost, fault)


def _versions() -> tuple[str, ...]:
    pretrain = find_spec('mmpretrain') is not None  # it has backbones of some configs
    return mmpose.__version__, torch.__version__, str(pretrain)


def _source(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding='utf-8')


def _text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding='utf-8')


def _hash(*parts: str) -> str:
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:20]
