"""A person's box is rescaled."""

import numpy as np
import pytest

from fpd_mmpose.datasets.transforms.rescale_box import RescaleBox


def test_the_box_is_rescaled_about_its_center():
    step = RescaleBox(1.3)
    center = np.ones((1, 2))
    found = step(dict(bbox_scale=np.float32([[10, 20]]), bbox_center=center))
    assert found['bbox_scale'] == pytest.approx(np.float32([[13, 26]]))
    assert found['bbox_center'] is center
    assert repr(step) == 'RescaleBox(factor=1.3)'


@pytest.mark.parametrize('factor', [0, -1, float('nan')])
def test_the_factor_must_be_positive(factor):
    with pytest.raises(ValueError, match=f'positive factor, got {factor}'):
        RescaleBox(factor)
