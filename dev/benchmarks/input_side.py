"""Measures how many people per second a config's data pipeline delivers."""

import copy
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from mmpose.registry import DATASETS, MODELS
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from benchmarks.input_stages import time_stages
from benchmarks.reduced_decode import ReducedDecode, measure_reduced_decode
from benchmarks.wide_people import ANNOTATIONS, write_wide_people
from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.errors import UserError

STOCK = {
    'FPDLoadImage': dict(type='LoadImage', color_type='color_ignore_orientation'),
    'FPDTopdownAffine': dict(type='TopdownAffine'),
    'FPDHeatmap': dict(type='MSRAHeatmap'),
}
"""MMPose's counterparts of this package's components."""
_RUNS = 5
HERE, OTHER = 'here', 'stock'
COLLATE, STACK = 'collate', 'stack and normalize (in the step)'


@dataclass(frozen=True)
class Spread:
    """A value that was measured several times."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class InputSide:
    """Results for this package (``HERE``) and MMPose's transforms (``OTHER``)."""

    people: int  # in a repeat
    batch_size: int
    image_size: tuple[int, int]  # width and height of the first image
    stages: dict[str, dict[str, Spread]]  # milliseconds per person
    rates: dict[str, dict[int, Spread]]  # people per second, by worker processes
    reduced: ReducedDecode | None
    step_seconds: float | None = None

    @property
    def consumed(self) -> float | None:
        """Returns the people per second that training consumes."""
        return self.batch_size / self.step_seconds if self.step_seconds else None

    def as_dict(self) -> dict:
        """Returns all results for JSON."""
        return asdict(self) | {'consumed': self.consumed}


def measure_input(
    config: Config,
    people: int = 128,
    repeats: int = 5,
    workers: Sequence[int] = (0, 1, 2),
    image_size: tuple[int, int] | None = None,
    step_seconds: float | None = None,
) -> InputSide:
    """Times the training pipeline of a config, with its own and MMPose's transforms.

    The two alternate, with the same people and random numbers, and the threads that
    training gives to OpenCV and the workers. People are drawn if ``image_size`` (width,
    height) is given or the config's data are missing.
    """
    for name, value, least in (
        ('people', people, config.train_dataloader.batch_size),
        ('repeats', repeats, 1),
        ('workers', min(workers, default=-1), 0),
    ):
        if value < least:
            raise UserError(f'{name} must be {least} or more, got {value}')
    if step_seconds is not None and not step_seconds > 0:
        raise UserError(f'step_seconds must be positive, got {step_seconds}')
    init_default_scope('mmpose')
    set_multi_processing(**config.get('env_cfg', {}).get('mp_cfg', {}))
    with _with_people(config, people, image_size) as loader:
        sides = {HERE: loader}
        stock = _with_stock(loader)
        if stock != loader:
            sides[OTHER] = stock
        datasets = {side: DATASETS.build(one.dataset) for side, one in sides.items()}
        people = min(people, len(datasets[HERE]))
        indices = np.random.RandomState(0).permutation(len(datasets[HERE]))[:people]
        jobs = _jobs(config, sides, datasets, indices.tolist(), workers)
        found = {job: [] for job in jobs}
        with tqdm(total=repeats * len(jobs), desc='measuring', disable=None) as bar:
            for repeat in range(repeats):
                for job, run in jobs.items():
                    found[job].append(run(repeat))
                    bar.update()
        reduced = None
        if isinstance(datasets[HERE], FPDMpiiDataset):
            size = config.codec['input_size']
            reduced = measure_reduced_decode(datasets[HERE], indices, size)
        height, width = datasets[HERE][0]['data_samples'].ori_shape
    return InputSide(
        people=people,
        batch_size=loader.batch_size,
        image_size=(width, height),
        stages={side: _stages(found[side, 'stages']) for side in sides},
        rates={
            side: {count: _spread(found[side, count]) for count in workers}
            for side in sides
        },
        reduced=reduced,
        step_seconds=step_seconds,
    )


@contextmanager
def _with_people(
    config: Config, people: int, image_size: tuple[int, int] | None
) -> Iterator[Config]:
    """Yields the config's dataloader, with drawn people if its data are missing."""
    loader = copy.deepcopy(config.train_dataloader)
    path = Path(loader.dataset.get('data_root', ''), loader.dataset.get('ann_file', ''))
    if image_size is None and path.exists():
        yield loader
        return
    if loader.dataset.type != 'FPDMpiiDataset':
        raise UserError(
            f'"{path}" is missing, and people can only be drawn for FPDMpiiDataset, '
            f'not for {loader.dataset.type}: use an MPII config'
        )
    with tempfile.TemporaryDirectory(prefix='fpd-input-') as folder:
        write_wide_people(folder, people, image_size or (1280, 720))
        loader.dataset.update(data_root=folder, ann_file=ANNOTATIONS)
        loader.dataset.data_prefix = dict(img='images/')
        yield loader


def _with_stock(node: object) -> object:
    """Copies a config with MMPose's transforms and codec instead of ours."""
    if isinstance(node, dict):
        copied = type(node)({key: _with_stock(value) for key, value in node.items()})
        if copied.get('type') == 'FPDHeatmap':
            copied.setdefault('sigma', 2.0)
        copied.update(STOCK.get(copied.get('type'), {}))
        return copied
    if isinstance(node, list | tuple):
        return type(node)(_with_stock(value) for value in node)
    return node


def _jobs(
    config: Config,
    sides: dict[str, Config],
    datasets: dict[str, Dataset],
    indices: list[int],
    workers: Sequence[int],
) -> dict[tuple, Callable[[int], object]]:
    """Returns what to time in turn, as functions of the repeat's number."""
    jobs = {}
    preprocess = MODELS.build(config.model.data_preprocessor)
    for side, loader in sides.items():
        plain = _loader(loader, datasets[side], 0)

        def stages(
            repeat: int,
            dataset: Dataset = datasets[side],
            collate: Callable = plain.collate_fn,
            loader: Config = loader,
        ) -> dict[str, float]:
            found = time_stages(dataset, indices, seed=repeat)
            items = [dataset[index] for index in indices[: loader.batch_size]]
            batch = collate(items)
            found[COLLATE] = _seconds(collate, items) / len(items)
            found[STACK] = _seconds(preprocess, batch) / len(items)
            return found

        jobs[side, 'stages'] = stages
    for count in workers:
        for side, loader in sides.items():
            built = _loader(loader, datasets[side], count)
            batches = len(indices) // loader.batch_size
            for _ in islice(built, 1):  # starts the workers, which stay
                pass

            def rate(
                repeat: int,
                built: DataLoader = built,
                batches: int = batches,
                size: int = loader.batch_size,
            ) -> float:
                np.random.seed(repeat)
                start = perf_counter()
                for _ in islice(built, batches):
                    pass
                return batches * size / (perf_counter() - start)

            jobs[side, count] = rate
    return jobs


def _loader(config: Config, dataset: Dataset, workers: int) -> DataLoader:
    options = {**config, 'dataset': dataset, 'num_workers': workers}
    options['persistent_workers'] = workers > 0
    if workers == 0:
        options.pop('prefetch_factor', None)
    return Runner.build_dataloader(options, seed=0)


def _seconds(function: Callable, argument: object) -> float:
    """Returns the mean of a few runs, since one is too short to time."""
    start = perf_counter()
    for _ in range(_RUNS):
        function(argument)
    return (perf_counter() - start) / _RUNS


def _stages(repeats: list[dict[str, float]]) -> dict[str, Spread]:
    ours = {stock['type']: name for name, stock in STOCK.items()}
    return {
        ours.get(name, name): _spread([found[name] * 1e3 for found in repeats])
        for name in repeats[0]
    }


def _spread(values: list[float]) -> Spread:
    return Spread(median(values), min(values), max(values))
