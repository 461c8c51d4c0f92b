"""The comparison with the live network measures what quantizing and warping change."""

import numpy as np
import pytest
import torch

from fpd_mmpose.teachers.cache.command import compare_cache
from fpd_mmpose.teachers.cache.deviation import _difference, as_table, compare
from tests.helpers.stored_maps import augment, small_config, store_maps


def test_without_augmentation_only_the_quantization_differs(mpii_root, tmp_path):
    config = small_config(mpii_root, tmp_path)
    path = str(tmp_path / 'cache.sqlite')
    store_maps(config, path)
    *joints, everything = compare(config, path, samples=12)
    assert len(joints) == 16 and everything.name == 'all'
    assert everything.count > 0 and everything.error < 1e-3
    assert everything.change < 0.01 * everything.live
    augment(config, scale=0.25, rotation=30, flip=0.5)
    assert compare(config, path, samples=12)[-1].error > everything.error
    text = compare_cache(config, path, 12, 'cpu')
    assert text.count('\n| ') == 18 and '12 people' in text


def test_peaks_are_compared_where_the_network_sees_a_joint():
    live, stored = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8)
    live[0, 2, 3] = live[1, 4, 4] = 1.0
    stored[0, 2, 3], stored[1, 1, 0] = 0.75, 1.0
    found = _difference('knee', live, stored)
    assert (found.count, found.live, found.near) == (2, 1.0, 0.5)
    assert found.change == pytest.approx((0.25 + 1) / 2)
    assert found.distance == pytest.approx(5 / 2)
    assert found.error == pytest.approx((0.25**2 + 1 + 1) / 2)
    nothing = _difference('hip', torch.zeros(2, 8, 8), stored[:2])
    assert nothing.count == 0 and np.isnan(nothing.live)
    assert '| hip | 0 | - | - | - | - | - |' in as_table([nothing])
