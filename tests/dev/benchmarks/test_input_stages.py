"""Each stage of a pipeline gets its own time."""

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset

from benchmarks import input_stages
from benchmarks.input_stages import DECODE, READ, RECORD, time_stages
from fpd_mmpose.datasets import FPDMpiiDataset


class Clock:
    """Takes a second to read, and stands still otherwise."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(input_stages, 'perf_counter', clock)
    return clock


class Slow:
    """Takes ten seconds."""

    def __init__(self, clock: Clock):
        self.clock = clock

    def __call__(self, results: dict) -> dict:
        self.clock.now += 10
        return results


def dataset_of(root, *pipeline) -> FPDMpiiDataset:
    return FPDMpiiDataset(
        ann_file='annotations/mpii_train.json',
        data_root=str(root),
        data_prefix=dict(img='images/'),
        pipeline=list(pipeline),
    )


@pytest.fixture
def people(mpii_root, clock) -> FPDMpiiDataset:
    return dataset_of(mpii_root, dict(type='FPDLoadImage'), Slow(clock))


def test_the_stages_stand_in_the_order_of_the_pipeline(people):
    stages = time_stages(people, range(4))
    assert list(stages) == [RECORD, READ, DECODE, 'Slow']
    assert all(0 <= seconds < 10 for seconds in list(stages.values())[:3])
    assert stages['Slow'] == 1 + 10


def test_the_stages_add_up_to_the_whole(people, clock):
    stages = time_stages(people, range(8))
    start, reading = 1, 2  # readings before it, and around the files by themselves
    assert sum(stages.values()) * 8 == clock.now - start - reading


def test_the_pipeline_is_left_as_it_was(people):
    before = list(people.pipeline.transforms)
    time_stages(people, [0])
    assert people.pipeline.transforms == before
    with pytest.raises(IndexError):
        time_stages(people, [99])
    assert people.pipeline.transforms == before


def test_data_sets_in_one_share_their_stages(people, mpii_root):
    other = dataset_of(mpii_root, dict(type='FPDLoadImage'))
    both = ConcatDataset([people, other])
    stages = time_stages(both, [0, len(people)])
    assert list(stages) == [RECORD, READ, DECODE, 'Slow']
    assert stages['Slow'] == (1 + 10) / 2, 'half of the people pass it'


def test_a_given_image_is_not_decoded(mpii_root):
    def blank(results: dict) -> dict:
        height = width = 200
        return {**results, 'img': np.zeros((height, width, 3), np.uint8)}

    stages = time_stages(
        dataset_of(mpii_root, blank, dict(type='FPDLoadImage')), range(2)
    )
    assert list(stages) == [RECORD, 'function', 'FPDLoadImage']
