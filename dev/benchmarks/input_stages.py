"""Times each stage of a dataset's pipeline."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import numpy as np
from mmengine import fileio
from mmengine.dataset import Compose
from mmpose.datasets.transforms import LoadImage
from torch.utils.data import Dataset

RECORD, READ, DECODE = 'record of the dataset', 'read the file', 'decode'


def time_stages(
    dataset: Dataset, indices: Sequence[int], seed: int = 0
) -> dict[str, float]:
    """Returns the mean seconds per person of each stage, in order.

    The stages are the record, reading and decoding the image, and the transforms by
    class. Files read before come from the operating system's cache, not the disk.
    """
    np.random.seed(seed)
    with _clocks(dataset) as clocks:
        start = perf_counter()
        for index in indices:
            dataset[index]
        total = perf_counter() - start
    stages = {RECORD: total - sum(clock.seconds for clock in clocks)}
    for clock in clocks:
        parts = {clock.name: clock.seconds}
        if clock.files:
            read = _reading(clock.files, clock.transform.backend_args)
            # Timed separately, it may even take longer than the whole did.
            read = min(read, clock.seconds)
            parts = {READ: read, DECODE: clock.seconds - read}
        for name, seconds in parts.items():
            stages[name] = stages.get(name, 0.0) + seconds
    return {name: seconds / len(indices) for name, seconds in stages.items()}


class _Clock:
    """A transform that sums up the time it takes."""

    def __init__(self, transform: object):
        self.transform = transform
        self.name = type(transform).__name__
        self.seconds = 0.0
        self.files: list[str] = []

    def __call__(self, results: dict) -> dict | None:
        """Runs the transform."""
        from_file = 'img' not in results and 'frame_index' not in results
        if from_file and isinstance(self.transform, LoadImage):
            self.files.append(results['img_path'])
        start = perf_counter()
        results = self.transform(results)
        self.seconds += perf_counter() - start
        return results


@contextmanager
def _clocks(dataset: Dataset) -> Iterator[list[_Clock]]:
    pipelines = list(_pipelines(dataset))
    kept = [pipeline.transforms for pipeline in pipelines]
    try:
        for pipeline in pipelines:
            pipeline.transforms = [_Clock(one) for one in pipeline.transforms]
        yield [clock for pipeline in pipelines for clock in pipeline.transforms]
    finally:
        for pipeline, transforms in zip(pipelines, kept, strict=True):
            pipeline.transforms = transforms


def _pipelines(dataset: Dataset) -> Iterator[Compose]:
    """Yields the pipelines of a dataset and of those inside it."""
    inner = [*getattr(dataset, 'datasets', ()), getattr(dataset, 'dataset', None)]
    for one in inner:
        if one is not None:
            yield from _pipelines(one)
    if isinstance(getattr(dataset, 'pipeline', None), Compose):
        yield dataset.pipeline


def _reading(files: Sequence[str], backend_args: dict | None) -> float:
    start = perf_counter()
    for path in files:
        fileio.get(path, backend_args=backend_args)
    return perf_counter() - start
