"""Reads damaged files in processes that may crash, hang, or run out of memory."""

import contextlib
import faulthandler
import gc
import logging
import math
import os
import re
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from fpd_mmpose.errors import UserError
from fuzzing.subjects import Subject, Target

#: Seconds after which a case counts as a hang.
PATIENCE = 20
#: Bytes that a reader may take beyond what the process has before.
MEMORY = 1 << 30
#: The longest message that still is a line to read.
LONGEST_MESSAGE = 1000
#: What libraries say that have no error for it.
_NO_MEMORY = 'bad_alloc|allocate memory'
_fork: Any = get_context('fork')


@dataclass
class Outcome:
    """What became of the cases of a target."""

    cases: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    #: The longest time of a case, and its number.
    slowest: tuple[float, int] = (0.0, 0)
    #: Bytes of memory beyond those before the first case.
    memory: int = 0
    #: By kind: how many there were.
    failures: Counter[str] = field(default_factory=Counter)
    #: By kind: the size of the smallest file, and its number.
    smallest: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: 'Outcome') -> None:
        """Adds the cases of another outcome; the time is that of the whole."""
        self.cases += other.cases
        self.accepted += other.accepted
        self.refused += other.refused
        self.memory = max(self.memory, other.memory)
        self.slowest = max(self.slowest, other.slowest)
        self.failures += other.failures
        for kind, found in other.smallest.items():
            self.smallest[kind] = min(found, self.smallest.get(kind, found))


class _Job(NamedTuple):
    """Cases of a target, and where their files are."""

    name: str
    target: Target
    folder: Path
    numbers: range
    seed: int
    kept: Path


class _Hang(BaseException):
    """Interrupts a case that takes too long."""


def fuzz(name: str, target: Target, cases: int, seed: int, failures: Path) -> Outcome:
    """Tries cases of a target; files that fail are kept in ``failures``."""
    total = Outcome()
    started = time.monotonic()
    place = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    while total.cases < cases:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            numbers = range(total.cases, cases)
            kept = failures / name
            job = _Job(name, target, Path(folder), numbers, seed, kept)
            total.add(_run_process(job))
    total.seconds = time.monotonic() - started
    return total


def case(name: str, seed: int, number: int) -> Random:
    """Returns the random numbers of a case, which do not depend on other cases."""
    return Random(f'{name} {seed} {number}')


def _run_process(job: _Job) -> Outcome:
    """Runs cases until they are done or one ends the process."""
    receiver, sender = _fork.Pipe(duplex=False)
    number = _fork.Value('q', -1, lock=False)
    process = _fork.Process(target=_work, args=(job, number, sender), daemon=True)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # threads are not in a fork, which would wait for them
    process.start()
    cv2.setNumThreads(threads)
    sender.close()
    last, since = -1, time.monotonic()
    result = None
    while result is None:
        if receiver.poll(1):
            with contextlib.suppress(EOFError):
                result = receiver.recv()
            break
        if number.value != last:
            last, since = number.value, time.monotonic()
        elif last >= 0 and time.monotonic() - since > 3 * PATIENCE:
            process.kill()
    process.join()
    if isinstance(result, str):
        raise AssertionError(f'target {job.name}: {result}')
    if result is None:
        if number.value < 0:
            raise AssertionError(f'target {job.name} ends with {process.exitcode}')
        kind = f'process ended with {process.exitcode}'
        result = Outcome(cases=number.value + 1 - job.numbers.start)
        content = _content_of(job.folder)
        trace = (job.folder / 'crash.txt').read_text('utf-8')
        _keep(job.kept, kind, number.value, content, trace)
        result.failures[kind] += 1
        result.smallest[kind] = len(content), number.value
    return result


def _work(job: _Job, number: Any, sender: Connection) -> None:
    with (job.folder / 'crash.txt').open('w', encoding='utf-8') as crash:
        faulthandler.enable(crash)
        try:
            with _quiet():
                result = _try_all(job, number)
        except BaseException:
            sender.send(traceback.format_exc())
            raise
    sender.send(result)
    sender.close()
    os._exit(0)


def _try_all(job: _Job, current: Any) -> Outcome:
    torch.set_num_threads(1)
    place = job.folder / 'files'
    place.mkdir()
    subject = job.target.prepare(place)
    (job.folder / 'path.txt').write_text(str(subject.path), encoding='utf-8')
    for content in subject.valid:
        subject.path.write_bytes(content)
        if where := not_finite(subject.read()):
            raise AssertionError(f'a valid file gives {where}')
    gc.collect()
    gc.freeze()  # MMEngine collects garbage with each dataset
    before = _peak()
    _limit_memory()
    signal.signal(signal.SIGALRM, _interrupt)
    outcome = Outcome()
    for each in job.numbers:
        current.value = each
        content = subject.damage(case(job.name, job.seed, each))
        subject.path.write_bytes(content)
        started = time.perf_counter()
        kind, text = _try(subject)
        taken = time.perf_counter() - started
        outcome.cases += 1
        outcome.slowest = max(outcome.slowest, (taken, each))
        if kind in ('accepted', 'refused'):
            outcome.accepted += kind == 'accepted'
            outcome.refused += kind == 'refused'
            continue
        outcome.failures[kind] += 1
        if (len(content), each) < outcome.smallest.get(kind, (math.inf, 0)):
            outcome.smallest[kind] = len(content), each
            _keep(job.kept, kind, each, content, text)
    outcome.memory = _peak() - before
    if outcome.memory > MEMORY:
        outcome.failures['memory of the process'] += 1
    return outcome


def _try(subject: Subject) -> tuple[str, str]:
    """Returns the kind of outcome, and details of a failure."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        found = subject.read()
    except UserError as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return _judged(error, subject.named or subject.path.name)
    except (Exception, SystemExit, _Hang) as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return _kind_of(error), traceback.format_exc()[-6000:]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    where = not_finite(found)
    return (f'returns {where}', repr(found)[:6000]) if where else ('accepted', '')


def _judged(error: UserError, name: str) -> tuple[str, str]:
    message = str(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or re.search(_NO_MEMORY, str(cause)):
            return f'refused for want of memory: {_place(cause)}', message
        cause = cause.__cause__ or cause.__context__
    if len(message.splitlines()) != 1 or not message.isprintable():
        return f'message is not a line: {_place(error)}', message
    if name not in message:
        return f'message does not name the file: {_place(error)}', message
    if len(message) > LONGEST_MESSAGE:
        return f'message is too long: {_place(error)}', message
    return 'refused', ''


def _kind_of(error: BaseException) -> str:
    return f'{type(error).__name__.strip("_")} in {_place(error)}'


def _place(error: BaseException) -> str:
    """Names the innermost function of the package."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if 'fpd_mmpose/' in frame.filename]
    if not own:
        return 'other code'
    file = own[-1].filename.rpartition('fpd_mmpose/')[2]
    return f'{file}, {own[-1].name}'


def not_finite(value: Any) -> str:
    """Says what is NaN or infinite in a value; empty if nothing is."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, torch.Tensor):
            each = each.numpy()
        if isinstance(each, np.ndarray | np.generic):
            if each.dtype.kind in 'fc' and not np.isfinite(each).all():
                return 'an array that is not finite'
            left += list(each.ravel()) if each.dtype == object else []
        elif isinstance(each, float) and not math.isfinite(each):
            return 'a number that is not finite'
        elif isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set):
            left += each
    return ''


def _keep(folder: Path, kind: str, number: int, content: bytes, text: str) -> None:
    """Keeps a file that fails, and why."""
    folder.mkdir(parents=True, exist_ok=True)
    name = ''.join(c if c.isalnum() else '_' for c in kind)[:80]
    (folder / f'{name}.bin').write_bytes(content)
    details = f'case {number}: {kind}\n{text}\n'
    (folder / f'{name}.txt').write_text(
        details, encoding='utf-8', errors='backslashreplace'
    )


def _content_of(folder: Path) -> bytes:
    """Returns the file that was being read when a process ended."""
    path = Path((folder / 'path.txt').read_text('utf-8'))
    return path.read_bytes() if path.is_file() else b''


def _interrupt(*_: Any) -> None:
    raise _Hang(f'after {PATIENCE} seconds')


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_memory() -> None:
    """Makes allocations fail that would exceed the memory that a reader may take."""
    status = Path('/proc/self/statm')
    if status.is_file():
        pages = int(status.read_text('utf-8').split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drops what readers log and print, also below Python."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter('ignore')
    np.seterr(all='ignore')
    nowhere = os.open(os.devnull, os.O_WRONLY)
    saved = os.dup(2)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    yield
    os.dup2(saved, 2)
