"""Times several variants side by side."""

import gc
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass
class Timed:
    """The times of a variant in seconds, and its highest memory in bytes.

    On CUDA, memory is what the variant keeps and allocates; else, it is the resident
    memory of the process, which holds all variants; 0 if unknown.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def median(self) -> float:
        """Returns the median time."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """Returns the shortest and the longest time."""
        return min(self.seconds), max(self.seconds)


def time_in_turn(
    ways: Iterable[tuple[str, Callable[[], None]]],
    repeats: int,
    device: torch.device,
    progress: Callable[[str], None] = print,
    least: float = 0.3,
) -> list[Timed]:
    """Times each variant once per round, so that disturbances affect all alike.

    On the CPU, a timing is one call. On CUDA, it is the mean of several calls of about
    ``least`` seconds after an uncounted one, with one wait at the end, as in training.
    A variant that does not fit in the memory of the GPU is left out.
    """
    found = []
    kept = _allocated(device)
    for name, run in ways:
        start = time.perf_counter()
        try:
            # CUDA graphs are recorded in the second call.
            for _ in range(1 if device.type == 'cpu' else 3):
                run()
            _wait(device)
        except torch.OutOfMemoryError:
            progress(f'{name} does not fit in the memory of the GPU')
            _empty_cache(device)
            continue
        _empty_cache(device)
        before, kept = kept, _allocated(device)
        found.append((Timed(name), run, kept - before))
        progress(f'warmed up {name} ({time.perf_counter() - start:.1f} s)')
    for repeat in range(repeats):
        for one, run, own in found:
            gc.collect()
            calls = 1 if device.type == 'cpu' else _calls(run, device, least)
            with _PeakMemory(device) as peak:
                start = time.perf_counter()
                for _ in range(calls):
                    run()
                _wait(device)
                one.seconds.append((time.perf_counter() - start) / calls)
            one.memory = max(one.memory, own + peak.bytes)
            _empty_cache(device)  # or the next variant has to make room first
        progress(f'round {repeat + 1} of {repeats}')
    return [one for one, _, _ in found]


def time_in_bursts(
    ways: Sequence[tuple[str, Callable[[], object]]],
    rounds: int,
    least: float = 0.2,
    progress: Callable[[str], None] = print,
) -> list[Timed]:
    """Times each variant once per round on the CPU, by the mean of several quick calls.

    The first of several calls is not counted, because other variants have used the
    caches in between. All variants have been called before.
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
    """Measures the highest memory inside a block; on the CPU, a thread samples it."""

    _STATM = Path('/proc/self/statm')

    def __init__(self, device: torch.device):
        self.cuda = device.type == 'cuda'
        self.bytes = 0
        self._before = _allocated(device)
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
            self.bytes = torch.cuda.max_memory_allocated() - self._before
        elif self._thread is not None:
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        page = os.sysconf('SC_PAGE_SIZE')
        while True:
            resident = int(self._STATM.read_text(encoding='utf-8').split()[1]) * page
            self.bytes = max(self.bytes, resident)
            if self._stop.wait(0.01):
                return


def _calls(run: Callable[[], None], device: torch.device, least: float) -> int:
    """Runs once, and returns how many runs take a given time."""
    start = time.perf_counter()
    run()
    _wait(device)
    return max(1, min(20, round(least / (time.perf_counter() - start))))


def _allocated(device: torch.device) -> int:
    return torch.cuda.memory_allocated() if device.type == 'cuda' else 0


def _empty_cache(device: torch.device) -> None:
    if device.type == 'cuda':
        gc.collect()
        torch.cuda.empty_cache()


def _wait(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
