"""What decoding at half size gives is known before anybody builds it."""

import pytest

from benchmarks.reduced_decode import measure_reduced_decode
from fpd_mmpose.datasets import FPDMpiiDataset


@pytest.fixture
def people(mpii_root) -> FPDMpiiDataset:
    return FPDMpiiDataset(
        ann_file='annotations/mpii_train.json',
        data_root=str(mpii_root),
        data_prefix=dict(img='images/'),
    )


def test_crops_of_the_half_picture_are_nearly_the_same(people):
    found = measure_reduced_decode(people, range(8), (64, 64))
    assert 0.5 < found.share <= 1
    assert found.whole_ms > 0 and found.half_ms > 0
    # A shift of half a pixel alone would give more.
    assert 0 < found.difference < 4


def test_people_who_are_too_small_for_it_are_left_out(people):
    assert measure_reduced_decode(people, range(8), (256, 256)) is None
