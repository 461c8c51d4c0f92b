"""Heatmaps are encoded as in MMPose and decoded as in the reference."""

import math

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.codecs import MSRAHeatmap
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.paths import load_config

SIZES = dict(input_size=(256, 192), heatmap_size=(64, 48), sigma=2)
FLIP_INDICES = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]


@pytest.fixture
def codec() -> FPDHeatmap:
    return KEYPOINT_CODECS.build(dict(type='FPDHeatmap', **SIZES))


def decode_slowly(heatmap: np.ndarray) -> tuple[float, float]:
    """The reference's rule in words, one heatmap at a time, in heatmap pixels."""
    height, width = heatmap.shape
    if heatmap.max() <= 0:
        return 0.0, 0.0
    index = int(heatmap.argmax())
    x, y = index % width, index // width
    if not (1 < x < width - 1 and 1 < y < height - 1):
        return float(x), float(y)

    def quarter(ahead: float, behind: float) -> float:
        return math.copysign(0.25, ahead - behind) if ahead != behind else 0.0

    return (
        x + quarter(heatmap[y, x + 1], heatmap[y, x - 1]),
        y + quarter(heatmap[y + 1, x], heatmap[y - 1, x]),
    )


def test_random_heatmaps_with_maxima_everywhere(codec):
    maps = np.random.randn(400, 48, 64).astype(np.float32)
    columns, rows = np.random.randint(64, size=400), np.random.randint(48, size=400)
    rows[:60], columns[60:120] = [0, 1, 46, 47] * 15, [0, 1, 62, 63] * 15
    maps[np.arange(400), rows, columns] = 9
    maps[300:320] = -np.abs(maps[300:320])
    maps[320] = 0
    before = maps.copy()
    keypoints, scores = codec.decode(maps)
    np.testing.assert_array_equal(
        keypoints[0] / 4, [decode_slowly(one) for one in maps]
    )
    np.testing.assert_array_equal(scores[0], maps.max(axis=(1, 2)))
    assert keypoints.shape == (1, 400, 2)
    np.testing.assert_array_equal(maps, before)


@pytest.mark.parametrize(
    ('x', 'y', 'stock_moves'),
    [(1, 20, True), (63, 20, True), (20, 1, True), (20, 47, True), (30, 20, False)],
)
def test_next_to_a_border_stock_mmpose_moves_along_one_axis(codec, x, y, stock_moves):
    heatmap = np.random.rand(1, 48, 64).astype(np.float32)
    heatmap[0, y, x] = 2
    found = codec.decode(heatmap)[0][0, 0]
    stock = MSRAHeatmap(**SIZES).decode(heatmap)[0][0, 0]
    assert (found != stock).any() == stock_moves
    if stock_moves:
        np.testing.assert_array_equal(found, [x * 4, y * 4])


def test_an_empty_heatmap_is_decoded_to_the_corner(codec):
    empty = np.zeros((2, 48, 64), dtype=np.float32)
    keypoints, scores = codec.decode(empty)
    assert not keypoints.any() and not scores.any()
    assert (MSRAHeatmap(**SIZES).decode(empty)[0] == -4).all()


@pytest.mark.parametrize('sigma', [2, 2.0, 3, 1.5, 0.7])
@pytest.mark.parametrize('dtype', [np.float64, np.float32])
def test_targets_are_those_of_msra_heatmap(sigma, dtype):
    """Bit for bit, with their weights: inside, across a border, and outside."""
    sizes = {**SIZES, 'sigma': sigma}
    keypoints = np.random.uniform(-60, 320, (1, 800, 2))
    keypoints[0, ::3] = np.round(keypoints[0, ::3] / 2) * 2  # halves round up
    visible = np.random.choice([0, 0.4, 0.5, 1, 2], size=(1, 800))
    mine, stock = (
        codec.encode(keypoints.astype(dtype), visible.copy())
        for codec in (FPDHeatmap(**sizes), MSRAHeatmap(**sizes))
    )
    assert mine.keys() == stock.keys()
    for name, expected in stock.items():
        np.testing.assert_array_equal(mine[name], expected)
        assert mine[name].dtype == expected.dtype
    dropped = (visible > 0) & (mine['keypoint_weights'] == 0)
    assert 0 < dropped.mean() < 0.5


def test_keypoints_are_visible_by_default(codec):
    assert (codec.encode(np.full((1, 3, 2), 90.0))['keypoint_weights'] == 1).all()


def test_several_people_are_an_error(codec):
    with pytest.raises(ValueError, match='encodes one person, got 2'):
        codec.encode(np.zeros((2, 3, 2)))


def test_the_flip_average_and_keypoints_match_the_reference(shared):
    truth = np.load(shared / 'reference/decode_flip.npz')
    flipped = flip_heatmaps(
        torch.from_numpy(truth['heatmaps_on_mirrored_image']),
        flip_mode='heatmap',
        flip_indices=FLIP_INDICES,
        shift_heatmap=True,
    )
    averaged = ((torch.from_numpy(truth['heatmaps']) + flipped) * 0.5).numpy()
    np.testing.assert_array_equal(averaged, truth['averaged'])
    codec = FPDHeatmap(input_size=(256, 256), heatmap_size=(64, 64))
    for index, maps in enumerate(averaged):
        keypoints, scores = codec.decode(maps)
        scale = truth['scale'][index] * 200
        # As TopdownPoseEstimator maps them to the image.
        found = keypoints[0] / 256 * scale + truth['center'][index] - 0.5 * scale
        np.testing.assert_allclose(found, truth['preds'][index], atol=1e-3)
        np.testing.assert_array_equal(scores[0], truth['maxvals'][index, :, 0])


def test_a_model_decodes_the_keypoints_of_the_reference(shared):
    truth = np.load(shared / 'reference/decode_flip.npz')
    config = load_config('configs/hourglass/hg4_128_mpii.py')
    config.model.backbone.update(num_stacks=1, num_features=16)
    config.model.head.num_stages = 1
    model = MODELS.build(config.model)
    samples = [
        PoseDataSample(
            metainfo=dict(
                flip_indices=FLIP_INDICES,
                input_size=(256, 256),
                input_center=center,
                input_scale=scale * 200,
            ),
            gt_instances=InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1)),
        )
        for center, scale in zip(truth['center'], truth['scale'], strict=True)
    ]
    # The output stages of the backbone for an image and for its mirror image.
    feats = [
        (torch.from_numpy(truth[name]),)
        for name in ('heatmaps', 'heatmaps_on_mirrored_image')
    ]
    predictions = model.head.predict(feats, samples, test_cfg=model.test_cfg)
    for index, sample in enumerate(
        model.add_pred_to_datasample(predictions, None, samples)
    ):
        found = sample.pred_instances
        np.testing.assert_allclose(found.keypoints[0], truth['preds'][index], atol=1e-3)
        np.testing.assert_array_equal(
            found.keypoint_scores[0], truth['maxvals'][index, :, 0]
        )
