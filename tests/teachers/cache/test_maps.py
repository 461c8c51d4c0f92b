"""Heatmaps keep their values when packed, and their places when warped."""

import zlib

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose

from fpd_mmpose.teachers.cache.maps import (
    pack_maps,
    source_pixels,
    stored_format,
    unpack_levels,
    warp_maps,
)
from fpd_mmpose.teachers.cache.training_instances import teacher_warp
from fpd_mmpose.teachers.output_format import heatmap_format
from tests.helpers.refusals import refused

SIGMA, STRIDE, SIZE = 2, 4, (256, 256)
ZOOMS = (1.0, 1.25)
JOINTS = np.array([[310.3, 201.7], [255.0, 290.2], [352.9, 250.1], [300.0, 240.0]])
#: A box that the pipeline pads to 250 x 250 pixels.
BOX = np.array([[200.0, 140.0, 400.0, 340.0]])


def gaussians(points: np.ndarray, size: tuple[int, int], sigma: float) -> np.ndarray:
    """Heatmaps with peaks between pixels, (K, height, width)."""
    y, x = np.mgrid[: size[1], : size[0]]
    square = (x - points[:, 0, None, None]) ** 2 + (y - points[:, 1, None, None]) ** 2
    return np.exp(-square / (2 * sigma**2)).astype(np.float32)


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def sample(*steps: dict) -> dict:
    """Crops a person by a pipeline with these steps."""
    results = dict(
        img=np.zeros((480, 641, 3), np.uint8),
        img_shape=(480, 641),
        bbox=BOX.copy(),
        keypoints=JOINTS[None].copy(),
        keypoints_visible=np.ones((1, len(JOINTS))),
        flip_indices=[0, 2, 1, 3],
        upper_body_ids=[0, 1],
        lower_body_ids=[2, 3],
    )
    crop = dict(type='FPDTopdownAffine', input_size=SIZE)
    box = dict(type='GetBBoxCenterScale', padding=1.25)
    return Compose([box, *steps, crop])(results)


@pytest.mark.parametrize('offset', [0, 2, -2])
def test_values_are_off_by_at_most_half_a_step(offset):
    maps = np.random.rand(16, 24, 20).astype(np.float32) + offset
    maps[3] = 0
    step, zero, content = pack_maps(maps)
    assert step == pytest.approx((maps.max() - min(maps.min(), 0)) / 255, rel=1e-3)
    found = (unpack_levels(content, maps.shape).astype(float) - zero) * step
    assert not found[3].any()
    error = np.abs(found - maps)
    assert error.max() <= step and np.quantile(error, 0.99) <= step / 2 * 1.001


def test_empty_heatmaps_stay_empty():
    step, zero, content = pack_maps(np.zeros((2, 4, 4), np.float32))
    assert step > 0 and (unpack_levels(content, (2, 4, 4)) == zero).all()


@pytest.mark.parametrize('factor', [0.75, 1.0, 1.25])
@pytest.mark.parametrize('rotation', [0, -60, 37])
@pytest.mark.parametrize('flip', [0.0, 1.0])
@pytest.mark.parametrize('flip_first', [True, False])
def test_peaks_are_where_the_samples_joints_are(factor, rotation, flip, flip_first):
    class Turn:
        def __call__(self, results):
            results['bbox_scale'] = results['bbox_scale'] * factor
            results['bbox_rotation'] = np.array([rotation], dtype=float)
            return results

    mirror = dict(type='RandomFlip', prob=flip)
    steps = (mirror, Turn()) if flip_first else (Turn(), mirror)
    check(sample(*steps), factor)


def test_peaks_follow_a_half_body_crop():
    np.random.seed(1)
    half = dict(
        type='RandomHalfBody',
        min_total_keypoints=1,
        min_upper_keypoints=1,
        min_lower_keypoints=1,
        prob=1.0,
        padding=2.0,
    )
    found = sample(half, dict(type='RandomFlip', prob=1.0))
    assert not np.allclose(found['bbox_center'], [[300, 240]])
    check(found, found['bbox_scale'][0, 0] / 250)


def check(found: dict, factor: float) -> None:
    center, scale = np.array([300.0, 240.0]), np.array([250.0, 250.0])
    size = [side // STRIDE for side in SIZE]
    cells = heatmap_format(len(JOINTS), SIZE, size).axes
    first = int(factor > 1.12)
    stored, sources = [], []
    for zoom in ZOOMS:
        warp = teacher_warp(center, scale, zoom, SIZE)
        maps = gaussians(moved(JOINTS, warp) / STRIDE, size, SIGMA)
        stored.append(maps[found['flip_indices']] if found['flip'] else maps)
        sources.append(source_pixels(found['warp_mat'], warp, cells, cells))
    got = warp_maps(
        torch.from_numpy(np.stack(stored))[None],
        torch.from_numpy(np.stack(sources))[None].float(),
        torch.tensor([first]),
        size,
    )[0].numpy()
    # A joint that is larger in the crop has a larger peak.
    points = found['transformed_keypoints'][0] / STRIDE
    expected = gaussians(points, size, SIGMA / factor * ZOOMS[first])
    inside = (points > 8).all(1) & (points < np.array(size) - 9).all(1)
    assert inside.sum() >= 2
    assert np.abs(got - expected)[inside].max() < 0.025
    y, x = np.mgrid[: size[1], : size[0]]
    for one, point in zip(got[inside], points[inside], strict=True):
        weight = one / one.sum()
        place = (weight * x).sum(), (weight * y).sum()
        assert np.hypot(*(place - point)) < 0.02


def test_a_pixel_comes_from_the_first_zoom_that_shows_it():
    maps = torch.tensor([1.0, 2.0, 3.0])[None, :, None, None, None].expand(
        2, 3, 1, 8, 8
    )
    # The same pixels of the second zoom, and half a heatmap to the left of the first.
    moved_by = torch.tensor([-4.0, 0.0, 0.0])
    sources = torch.eye(3)[:2].expand(2, 3, 2, 3).clone()
    sources[..., 0, 2] = moved_by
    found = warp_maps(maps, sources, torch.tensor([0, 2]), (8, 8))
    assert torch.allclose(found[0, 0, 4, :4], torch.tensor(2.0), atol=1e-4)
    assert torch.allclose(found[0, 0, 4, 4:], torch.tensor(1.0), atol=1e-4)
    assert torch.allclose(found[1], torch.tensor(3.0), atol=1e-4)


def test_pixels_outside_of_all_zooms_are_zero():
    maps = torch.ones(1, 2, 1, 8, 8)
    sources = torch.tensor([[1.0, 0, -4], [0, 1.0, 0]]).expand(1, 2, 2, 3)
    found = warp_maps(maps, sources, torch.tensor([0]), (8, 8))
    expected = torch.cat([torch.zeros(1, 1, 8, 4), torch.ones(1, 1, 8, 4)], dim=-1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'no zlib',
        zlib.compress(bytes(23)),
        zlib.compress(bytes(25)),
        zlib.compress(bytes(1 << 28)),
        zlib.compress(bytes(24))[:-3] + b'abc',
    ],
)
def test_maps_of_another_size_are_refused(content):
    assert unpack_levels(zlib.compress(bytes(24)), (1, 2, 3, 4)).shape == (1, 2, 3, 4)
    with pytest.raises(ValueError, match='its heatmaps'):
        unpack_levels(content, (1, 2, 3, 4))


@pytest.mark.parametrize(
    'field, value',
    [
        ('shape', [2, 16, 64]),
        ('shape', [2, 16, 64, '64']),
        ('shape', [2, 16, 64, 0]),
        ('shape', [2, 16, 1 << 16, 1 << 16]),
        ('shape', None),
        ('input size', [256, -256]),
        ('zooms', [1.0]),
        ('zooms', [1.0, float('nan')]),
        ('sigma', 'wide'),
        ('sigma', 1e-320),
        ('joints', ['a', 3]),
        ('flip_indices', [0] * 15 + [16]),
    ],
)
def test_settings_of_wrong_types_are_named(field, value):
    settings = {
        'shape': [2, 16, 64, 64],
        'input size': [256, 256],
        'zooms': [1.0, 1.25],
        'joints': None,
        'flip_indices': None,
    }
    assert stored_format(settings, 'a.sqlite').joints == 16
    message = refused(stored_format, {**settings, field: value}, 'a.sqlite')
    assert message.startswith(f'teacher cache "a.sqlite" is damaged: its {field} is')
