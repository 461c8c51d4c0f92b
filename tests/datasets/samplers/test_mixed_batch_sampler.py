"""Labeled and unlabeled people are mixed in a fixed ratio."""

from collections import Counter
from itertools import islice

import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmpose.datasets import CombinedDataset
from mmpose.registry import DATA_SAMPLERS

from fpd_mmpose.datasets import FPDMpiiDataset


@pytest.fixture(scope='module')
def dataset(mpii_root) -> CombinedDataset:
    """Combines 12 labeled people with 18 others."""
    part = dict(
        type='FPDMpiiDataset',
        data_root=str(mpii_root),
        ann_file='annotations/mpii_train.json',
    )
    more = dict(part, ann_file='annotations/mpii_val.json')
    return CombinedDataset(
        FPDMpiiDataset.METAINFO,
        [part, dict(type='RepeatDataset', dataset=more, times=3)],
    )


def batches(
    dataset: CombinedDataset,
    batch_size: int = 5,
    ratio: tuple = (3, 2),
    epoch: int = 0,
    rank: int = 0,
    world_size: int = 1,
    seed: int = 0,
) -> list[list[int]]:
    sampler = DefaultSampler(dataset, seed=seed)
    sampler.rank, sampler.world_size = rank, world_size
    sampler.set_epoch(epoch)
    mixed = DATA_SAMPLERS.build(
        dict(type='MixedBatchSampler', source_ratio=ratio),
        default_args=dict(sampler=sampler, batch_size=batch_size),
    )
    drawn = list(mixed)
    assert len(drawn) == len(mixed)
    return drawn


def labeled(drawn: list[list[int]]) -> list[int]:
    return [index for batch in drawn for index in batch if index < 12]


def others(drawn: list[list[int]]) -> list[int]:
    return [index for batch in drawn for index in batch if index >= 12]


def test_every_batch_has_the_ratio(dataset):
    for batch in batches(dataset):
        assert len(labeled([batch])) == 3 and len(others([batch])) == 2
        assert max(batch) < 30


def test_an_epoch_is_a_pass_over_the_labeled_people(dataset):
    drawn = batches(dataset)
    assert len(drawn) == 4
    assert sorted(labeled(drawn)) == list(range(12))


def test_the_last_batch_is_filled_up(dataset):
    drawn = batches(dataset, batch_size=8, ratio=(5, 3))
    assert len(drawn) == 3 and all(len(batch) == 8 for batch in drawn)
    counts = Counter(labeled(drawn))
    assert sum(counts.values()) == 15 and set(counts) == set(range(12))
    assert max(counts.values()) == 2


def test_other_parts_continue_in_the_next_epoch(dataset):
    drawn = [
        index for epoch in range(9) for index in others(batches(dataset, epoch=epoch))
    ]
    assert len(drawn) == 72
    # Each lap of 18 is complete and has its own order.
    laps = [drawn[start : start + 18] for start in range(0, 72, 18)]
    assert all(sorted(lap) == list(range(12, 30)) for lap in laps)
    assert laps[0] != laps[1]


def test_batches_depend_on_seed_and_epoch(dataset):
    assert batches(dataset, epoch=3) == batches(dataset, epoch=3)
    assert batches(dataset, epoch=3) != batches(dataset, epoch=4)
    assert batches(dataset, seed=1) != batches(dataset, seed=2)


def test_ranks_share_the_people(dataset):
    drawn = [batches(dataset, rank=rank, world_size=2) for rank in range(2)]
    assert [len(one) for one in drawn] == [2, 2]
    both = labeled(drawn[0]) + labeled(drawn[1])
    assert sorted(both) == list(range(12))
    assert not set(others(drawn[0])) & set(others(drawn[1]))


def test_without_shuffling_people_come_in_order(dataset):
    sampler = DefaultSampler(dataset, shuffle=False)
    mixed = DATA_SAMPLERS.get('MixedBatchSampler')(sampler, 5, [3, 2])
    assert next(iter(mixed)) == [0, 1, 2, 12, 13]


def test_a_part_smaller_than_an_epoch_needs_is_repeated(dataset):
    drawn = others(batches(dataset, batch_size=5, ratio=(1, 4)))
    assert len(drawn) == 48 and min(Counter(drawn).values()) == 2


@pytest.mark.parametrize(
    ('batch_size', 'ratio', 'message'),
    [
        (4, (1, 1, 1), 'has 3 entries but the dataset has 2 parts'),
        (4, (1, 0), 'must be positive'),
        (4, (1, 20), r'would have \[0, 4\] people'),
        (4, (20, 1), r'would have \[4, 0\] people'),
    ],
)
def test_an_invalid_ratio_is_an_error(dataset, batch_size, ratio, message):
    with pytest.raises(ValueError, match=message):
        batches(dataset, batch_size, ratio)


def test_a_plain_dataset_is_an_error(mpii_root):
    plain = FPDMpiiDataset(str(mpii_root / 'annotations/mpii_val.json'))
    with pytest.raises(ValueError, match='needs a CombinedDataset .* FPDMpiiDataset'):
        batches(plain)


def test_in_runs_of_steps_one_epoch_follows_the_other(dataset):
    mixed = DATA_SAMPLERS.build(
        dict(type='MixedBatchSampler', source_ratio=(3, 2)),
        default_args=dict(sampler=InfiniteSampler(dataset, seed=3), batch_size=5),
    )
    epochs = [
        batch
        for epoch in range(3)
        for batch in batches(dataset, 5, (3, 2), epoch, seed=3)
    ]
    assert list(islice(mixed, len(epochs))) == epochs
