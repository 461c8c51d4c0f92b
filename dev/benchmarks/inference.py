"""Times inference of several networks with several engines."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import torch

from benchmarks import inference_engines as engines
from benchmarks.inference_costs import InferenceCosts, Missing, Row, Settings
from benchmarks.inference_files import ExportedFiles
from benchmarks.inference_memory import measure_memory
from benchmarks.inference_networks import Network
from benchmarks.inference_pictures import write_crowd
from benchmarks.inference_pipelines import PIPELINES, Load
from benchmarks.timing import time_in_bursts
from fpd_mmpose.errors import UserError

#: Largest accepted difference from PyTorch eager, as a share of the highest value. In 8
#: or 16 bits, with random weights, any difference is possible.
_TOLERANCE = 0.01
_EXACT = (engines.COMPILED, engines.ONNXRUNTIME)
#: Graphs that torch.compile may make of one function; its default is 8.
_GRAPHS = 256
#: A row of the report, and the call to time for it.
_Way = tuple[Row, Callable[[], object]]


def measure_inference(
    networks: list[Network], settings: Settings, progress: Callable[[str], None] = print
) -> InferenceCosts:
    """Times the engines on all networks, and whole pipelines of the first network.

    All run in turn in one process, for each number of threads.
    """
    engines.check_engines(settings.engines)
    with tempfile.TemporaryDirectory() as folder, _own_settings():
        benchmark = _Benchmark(networks, settings, Path(folder), progress)
        for threads in settings.threads:
            benchmark.run(threads)
        if settings.memory:
            benchmark.measure_memory()
    return benchmark.costs


class _Benchmark:
    def __init__(
        self,
        networks: list[Network],
        settings: Settings,
        folder: Path,
        progress: Callable[[str], None],
    ):
        self.costs = InferenceCosts(networks, settings)
        self.settings = settings
        self.folder = folder
        self.progress = progress
        self.files = ExportedFiles(folder)
        self.keypoints: dict[int, np.ndarray] = {}
        self.images = {
            batch: (
                folder / f'{batch}.jpg',
                write_crowd(folder / f'{batch}.jpg', batch),
            )
            for batch in settings.batches
        }
        most = max(settings.batches)
        self.crops = {one.name: one.crops(most) for one in networks}
        self.expected = {
            one.name: one.run(self.crops[one.name][:1]) for one in networks
        }

    def run(self, threads: int) -> None:
        self.progress(f'threads: {threads}')
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        alone, whole = [], []
        for engine in self.settings.engines:
            few = engine == engines.COMPILED and not self.settings.compile_all
            for network in self.costs.networks[: 1 if few else None]:
                prepare = partial(self._network, network, engine, threads)
                alone += self._attempt(network, engines.TITLES[engine], prepare)
            for title, load in PIPELINES.get(engine, {}).items():
                prepare = partial(self._pipeline, title, load, engine, threads)
                whole += self._attempt(self.costs.networks[0], title, prepare)
        ways = alone + whole
        timed = time_in_bursts(
            [(row.title, call) for row, call in ways],
            self.settings.rounds,
            progress=self.progress,
        )
        for (row, _), one in zip(ways, timed, strict=True):
            row.seconds = one.seconds
        self.costs.alone += [row for row, _ in alone]
        self.costs.whole += [row for row, _ in whole]

    def _attempt(
        self, network: Network, title: str, prepare: Callable[[], list[_Way]]
    ) -> list[_Way]:
        failed = {(one.network, one.title) for one in self.costs.missing}
        if (network.name, title) in failed:
            return []
        start = perf_counter()
        try:
            ways = prepare()
        except Exception as error:  # engines, compilers, and exporters raise anything
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            self.costs.missing.append(Missing(network.name, title, reason))
            self.progress(f'{network.name}, {title}: not measured: {reason}')
            return []
        seconds = perf_counter() - start
        self.progress(f'{network.name}, {title}: ready after {seconds:.1f} s')
        return ways

    def _network(self, network: Network, engine: str, threads: int) -> list[_Way]:
        ways = []
        batches = self.settings.batches
        if engine == engines.COMPILED and not self.settings.compile_all:
            batches = [min(batches)]
        for title, run in engines.open_engine(engine, network, self.files, threads):
            for batch in batches:
                crops = self.crops[network.name][:batch]
                difference = _difference(run(crops)[:1], self.expected[network.name])
                if engine in _EXACT and not difference <= _TOLERANCE:
                    raise ValueError(f'differs from PyTorch eager by {difference:.1%}')
                row = Row(network.name, engine, title, threads, batch, [], difference)
                ways.append((row, partial(run, crops)))
        return ways

    def _pipeline(
        self, title: str, load: Load, engine: str, threads: int
    ) -> list[_Way]:
        student = self.costs.networks[0]
        run = load(student, self.files, threads)
        ways = []
        for batch, (path, boxes) in self.images.items():
            keypoints = run(path, boxes)
            expected = self.keypoints.setdefault(batch, keypoints)
            away = float(np.median(np.linalg.norm(keypoints - expected, axis=-1)))
            row = Row(student.name, engine, title, threads, batch, [], away)
            ways.append((row, partial(run, path, boxes)))
        return ways

    def measure_memory(self) -> None:
        crops = self.folder / 'crops.npy'
        for network in self.costs.networks:
            np.save(crops, self.crops[network.name])
            own = [
                row.engine for row in self.costs.alone if row.network == network.name
            ]
            found = self.costs.memory.setdefault(network.name, {})
            for engine in dict.fromkeys(own):
                # Most memory of a compiled network is the compiler's.
                if engine != engines.COMPILED:
                    self._memory(network, engine, crops, found)
            self.progress(f'{network.name}: memory measured')

    def _memory(
        self, network: Network, engine: str, crops: Path, found: dict[str, dict]
    ) -> None:
        if engine == engines.EAGER:
            kind, source = engine, network.source
        else:
            kind = engine if engine == engines.OPENVINO else engines.ONNXRUNTIME
            source = [str(self.files.path(network, engine == engines.INT8))]
        try:
            found[engine] = measure_memory(kind, source, crops, self.settings.batches)
        except UserError as error:
            title = f'memory of {engines.TITLES[engine]}'
            self.costs.missing.append(Missing(network.name, title, str(error)))


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@contextmanager
def _own_settings() -> Iterator[None]:
    """Restores the threads afterwards, and lets each network and batch compile."""
    kept = torch.get_num_threads(), cv2.getNumThreads()
    try:
        with torch._dynamo.config.patch(cache_size_limit=_GRAPHS):
            yield
    finally:
        torch.set_num_threads(kept[0])
        cv2.setNumThreads(kept[1])
