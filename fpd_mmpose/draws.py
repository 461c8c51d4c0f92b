"""Random draws that depend on the seed and a person's place in the run alone.

So a resumed run draws as an unbroken one, with any number of data workers.
"""

import functools
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from fpd_mmpose.random_state import random_state_kept


class Draw(int):
    """An index of a dataset, with what its random numbers depend on."""

    key: tuple[int, ...]

    def __new__(cls, index: int, key: tuple[int, ...]) -> 'Draw':
        """Adds the key to an index."""
        draw = super().__new__(cls, index)
        draw.key = key
        return draw

    def __reduce__(self) -> tuple:
        return Draw, (int(self), self.key)


def seed_all(*key: int) -> None:
    """Seeds the generators of Python, NumPy, and PyTorch with several numbers."""
    first, second, third = np.random.SeedSequence(key).generate_state(3)
    random.seed(int(first))
    np.random.seed(second)
    torch.manual_seed(int(third))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seeds the generators, and leaves them as they were."""
    with random_state_kept():
        seed_all(*key)
        yield


def take_start(sampler: Any) -> int:
    """Takes the number of a sampler's indices that a resumed run has had."""
    start = getattr(sampler, 'start', 0)
    sampler.start = 0
    return start


def seed_draws_of(dataset: Any) -> None:
    """Makes a dataset seed each item whose index is a :class:`Draw`."""
    kind = type(dataset)
    original = getattr(kind, '__getitem__', None)
    if original is None or hasattr(original, 'seeds_draws'):
        return

    @functools.wraps(original)
    def get(self: Any, index: int) -> Any:
        if not isinstance(index, Draw):
            return original(self, index)
        with seeded(*index.key):
            return original(self, int(index))

    get.seeds_draws = True  # type: ignore[attr-defined]
    try:
        kind.__getitem__ = get
    except TypeError:  # a built-in type, which draws nothing
        pass


def install() -> None:
    """Makes MMEngine's samplers number what they draw. It is harmless to repeat."""
    from mmengine.dataset import DefaultSampler, InfiniteSampler

    if hasattr(DefaultSampler, 'start'):
        return

    def draw_epoch(self: DefaultSampler) -> Iterator[Draw]:
        indices = enumerate(finite(self))
        for position, index in itertools.islice(indices, take_start(self), None):
            yield Draw(index, (self.seed, self.rank, self.epoch, position))

    def draw_forever(self: InfiniteSampler) -> Iterator[Draw]:
        indices = enumerate(self._indices_of_rank())
        for position, index in itertools.islice(indices, take_start(self), None):
            yield Draw(index, (self.seed, self.rank, 0, position))

    finite = DefaultSampler.__iter__
    DefaultSampler.__iter__ = draw_epoch
    InfiniteSampler.__iter__ = draw_forever
    for sampler in (DefaultSampler, InfiniteSampler):
        sampler.start = 0
        sampler.__init__ = _then_seed_draws(sampler.__init__)


def _then_seed_draws(initialize: Callable) -> Callable:
    @functools.wraps(initialize)
    def wrapper(self: Any, dataset: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, dataset, *args, **kwargs)
        seed_draws_of(dataset)

    return wrapper
