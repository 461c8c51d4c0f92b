"""Timing of several ways to do a thing, side by side."""

import gc
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass
class Timed:
    """The times of one way.

    Args:
        name (str): What was timed.
        seconds (list[float]): One for each repeat.
        memory (int): Highest memory while it ran, in bytes: allocated on CUDA, or
            resident in the process, which holds all ways; 0 where unknown.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def median(self) -> float:
        """Of the seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest."""
        return min(self.seconds), max(self.seconds)


def time_in_turn(
    ways: Sequence[tuple[str, Callable[[], None]]],
    repeats: int,
    device: torch.device,
    progress: Callable[[str], None] = print,
) -> list[Timed]:
    """Times each way once a round, so that all meet the same disturbances.

    Args:
        ways (Sequence): Names and what to call. The first call of each, which may
            compile, is not counted.
        repeats (int): Rounds.
        device (torch.device): Waited for where it is CUDA.
        progress (Callable): Gets a line for each step of the work.

    Returns:
        list[Timed]: In the order of ``ways``.
    """
    timed = [Timed(name) for name, _ in ways]
    for name, run in ways:
        start = time.perf_counter()
        run()
        _wait(device)
        progress(f'warmed up {name} ({time.perf_counter() - start:.1f} s)')
    for repeat in range(repeats):
        for one, (_, run) in zip(timed, ways, strict=True):
            gc.collect()
            with _PeakMemory(device) as peak:
                start = time.perf_counter()
                run()
                _wait(device)
                one.seconds.append(time.perf_counter() - start)
            one.memory = max(one.memory, peak.bytes)
        progress(f'round {repeat + 1} of {repeats}')
    return timed


def time_in_bursts(
    ways: Sequence[tuple[str, Callable[[], object]]],
    rounds: int,
    least: float = 0.2,
    progress: Callable[[str], None] = print,
) -> list[Timed]:
    """Times each way once a round on the CPU, in a row of calls where it is quick.

    The first call of a row is not counted, because other ways have filled the caches
    since the last one, unless it is alone.

    Args:
        ways (Sequence): Names and what to call. They have been called before.
        rounds (int): How often each is timed.
        least (float): Seconds that a row lasts, the first call included.
        progress (Callable): Gets a line for each round.

    Returns:
        list[Timed]: In the order of ``ways``; a time is the mean of a row's calls.
    """
    timed = [Timed(name) for name, _ in ways]
    for number in range(rounds):
        for one, (_, run) in zip(timed, ways, strict=True):
            gc.collect()
            one.seconds.append(_burst(run, least))
        progress(f'round {number + 1} of {rounds}')
    return timed


def _burst(run: Callable[[], object], least: float) -> float:
    calls = []
    while sum(calls) < least or not calls:
        start = time.perf_counter()
        run()
        calls.append(time.perf_counter() - start)
    return statistics.fmean(calls[1:] or calls)


class _PeakMemory:
    """Highest memory inside a block; the process' own is sampled by a thread."""

    _STATM = Path('/proc/self/statm')

    def __init__(self, device: torch.device):
        self.cuda = device.type == 'cuda'
        self.bytes = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> '_PeakMemory':
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        elif self._STATM.exists():
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.cuda:
            self.bytes = torch.cuda.max_memory_allocated()
        elif self._thread is not None:
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        page = os.sysconf('SC_PAGE_SIZE')
        while True:
            resident = int(self._STATM.read_text().split()[1]) * page
            self.bytes = max(self.bytes, resident)
            if self._stop.wait(0.01):
                return


def _wait(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
