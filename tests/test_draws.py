"""A person's random numbers depend on the seed and the place in the run alone."""

import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import DataLoader, Dataset

from fpd_mmpose.draws import Draw, seeded


class Drawing(Dataset):
    """Draws from all generators, and shows the type of the index."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        assert type(index) is int
        return index, random.random(), np.random.rand(), float(torch.rand(()))


def loader(kind=DefaultSampler, workers=0, seed=3, start=0, epoch=0, **settings):
    dataset = Drawing()
    sampler = kind(dataset, seed=seed)
    sampler.start = start
    sampler.set_epoch(epoch)
    return DataLoader(
        dataset, 2, sampler=sampler, num_workers=workers, collate_fn=list, **settings
    )


def items(*args, count=5, **settings):
    batches = iter(loader(*args, **settings))
    return [item for _ in range(count) for item in next(batches)]


@pytest.mark.parametrize('kind', [DefaultSampler, InfiniteSampler])
class TestBothSamplers:
    def test_a_seed_gives_the_same_draws(self, kind):
        first = items(kind)
        torch.manual_seed(7), np.random.seed(7), random.seed(7)
        assert items(kind) == first
        assert items(kind, seed=4) != first

    def test_with_any_number_of_workers(self, kind):
        assert items(kind, workers=2) == items(kind)

    def test_from_the_middle_on(self, kind):
        assert items(kind, start=4, count=3) == items(kind)[4:]

    def test_every_draw_is_another(self, kind):
        assert len({item[1:] for item in items(kind)}) == 10


def test_each_epoch_draws_anew():
    first, second = ({item[0]: item[1:] for item in items(epoch=n)} for n in (0, 1))
    assert all(first[index] != second[index] for index in range(10))


def test_an_infinite_sampler_draws_a_person_anew():
    found = items(InfiniteSampler, count=10)
    assert len({item[1:] for item in found}) == 20


def test_a_start_holds_for_one_pass():
    batches = loader(start=4)
    assert [len(list(batches)) for _ in range(2)] == [3, 5]


def test_the_generators_are_left_as_they_were():
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    expected = random.random(), np.random.rand(), float(torch.rand(()))
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    with seeded(1, 2):
        random.random(), np.random.rand(), torch.rand(())
    loader().dataset[Draw(0, (1, 2))]
    assert (random.random(), np.random.rand(), float(torch.rand(()))) == expected


def test_other_indices_draw_as_before():
    dataset = loader().dataset
    assert dataset[0] != dataset[0]


def test_a_draw_is_its_index_in_other_processes_too():
    draw = pickle.loads(pickle.dumps(Draw(5, (1, 2, 3))))
    assert draw == 5 and draw.key == (1, 2, 3) and [0, 1, 2, 3, 4, 5][draw] == 5


def test_a_list_is_a_dataset_too():
    sampler = DefaultSampler([7, 8], shuffle=False, seed=0)
    assert list(DataLoader([7, 8], 2, sampler=sampler, collate_fn=list)) == [[7, 8]]
