"""The test protocol of the FPD paper: heatmaps of several scales, averaged."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from scipy.ndimage import map_coordinates

from fpd_mmpose.models.tta import SCALES, MultiScaleSearch
from fpd_mmpose.models.tta.multi_scale_search import check_scales, search
from tests.helpers.rounding import EPSILON, assert_same

IMAGE_SHAPE = (72, 128)
CELLS = 64


def crops(center: tuple, side: float, scales=SCALES) -> tuple[np.ndarray, np.ndarray]:
    """Corners and sizes of square crops around a point."""
    sizes = np.array([[side * scale] * 2 for scale in scales])
    return np.array(center) - sizes / 2, sizes


def gaussian(point: tuple, corner: np.ndarray, size: np.ndarray) -> torch.Tensor:
    """What a perfect network draws in one crop for a point of the image."""
    x, y = (np.array(point) - corner) / (size / CELLS)
    along = np.arange(CELLS)
    return torch.from_numpy(
        np.exp(-((along[:, None] - y) ** 2 + (along - x) ** 2) / 8)
    ).float()[None]


def reference(heatmaps, corners, sizes, shape) -> np.ndarray:
    """The averages at all pixels of the image, joint by joint: (K, height, width)."""
    total = np.zeros((len(heatmaps[0]), *shape))
    rows, columns = np.indices(shape)
    for maps, corner, size in zip(heatmaps, corners, sizes, strict=True):
        maps = np.asarray(maps, dtype=np.float64)
        y = (rows - corner[1]) * maps.shape[1] / size[1]
        x = (columns - corner[0]) * maps.shape[2] / size[0]
        for joint, heatmap in enumerate(maps):
            total[joint] += map_coordinates(
                heatmap, [y, x], order=1, mode='grid-constant'
            )
    return total / len(heatmaps)


def highest(average: np.ndarray) -> np.ndarray:
    y, x = np.unravel_index(
        average.reshape(len(average), -1).argmax(axis=1), average.shape[1:]
    )
    return np.stack([x, y], axis=1)


class TestSearch:
    @pytest.mark.parametrize(
        ('center', 'point'),
        [
            ((64, 36), (70.3, 30.8)),
            ((10, 8), (3.2, 4.9)),  # crops reach beyond the image
            ((120, 70), (127, 71)),  # the last pixel
            ((64, 36), (0, 0)),
        ],
    )
    def test_scales_that_agree_find_their_point(self, center, point):
        corners, sizes = crops(center, side=160)
        drawn = [gaussian(point, *crop) for crop in zip(corners, sizes, strict=True)]
        keypoints, scores = search(drawn, corners, sizes, IMAGE_SHAPE)
        assert keypoints.shape == (1, 2) and scores.shape == (1,)
        assert np.abs(keypoints[0] - point).max() <= 1
        assert 0.9 < scores[0] <= 1

    def test_scales_together_are_more_precise_than_one(self):
        def error(scales: tuple) -> float:
            corners, sizes = crops((640, 360), 600, scales)
            errors = []
            for point in np.random.RandomState(1).uniform(300, 500, (20, 2)):
                drawn = [
                    gaussian(point, *crop) for crop in zip(corners, sizes, strict=True)
                ]
                found, _ = search(drawn, corners, sizes, (720, 1280))
                errors.append(np.linalg.norm(found[0] - point))
            return np.mean(errors)

        assert error(SCALES) < 0.6 * error((1.0,))

    def test_one_scale_is_the_maximum_of_its_heatmap(self):
        heatmaps = torch.rand(16, CELLS, CELLS)
        # Whole image pixels for heatmap pixels, all of them within the image.
        corners, sizes = np.array([[5, 9]]), np.array([[CELLS * 2, CELLS * 3]])
        keypoints, scores = search([heatmaps], corners, sizes, (300, 300))
        assert (keypoints == corners + highest(heatmaps.numpy()) * (2, 3)).all()
        assert np.allclose(scores, heatmaps.flatten(1).max(dim=1).values)

    def test_one_scale_agrees_with_a_heatmap_pixel_between_image_pixels(self):
        corners, sizes = crops((300.4, 301.7), 487.3, scales=(1.0,))
        nodes = corners[0] + np.random.randint(2, 62, (16, 2)) * sizes[0] / CELLS
        heatmaps = torch.cat([gaussian(node, corners[0], sizes[0]) for node in nodes])
        keypoints, _ = search([heatmaps], corners, sizes, (600, 600))
        assert np.abs(keypoints - nodes).max() <= 0.5

    def test_scales_that_disagree_are_decided_by_the_average(self):
        corners, sizes = crops((64, 36), 100, scales=(0.8, 1.0, 1.2))
        left, right = (50, 36), (80, 36)
        drawn = [
            # The one high vote is alone, the two lower ones agree.
            weight * gaussian(point, *crop)
            for weight, point, *crop in zip(
                (1.5, 1, 1), (left, right, right), corners, sizes, strict=True
            )
        ]
        keypoints, scores = search(drawn, corners, sizes, IMAGE_SHAPE)
        assert np.abs(keypoints[0] - right).max() <= 1
        assert scores[0] == pytest.approx(2 / 3, abs=0.05)

    def test_a_scale_counts_as_zero_outside_of_its_crop(self):
        corners, sizes = crops((64, 36), CELLS, scales=(0.5, 1.0))
        ones = torch.ones(1, CELLS, CELLS)
        inside, outside = torch.zeros(2, 1, CELLS, CELLS)
        outside[0, 32, 2] = 3  # of the large crop, beside the small one
        inside[0, 32, 32] = 0.5
        keypoints, scores = search([ones, outside], corners, sizes, IMAGE_SHAPE)
        assert keypoints.tolist() == [[34, 36]] and scores == pytest.approx([3 / 2])
        keypoints, scores = search([ones, inside], corners, sizes, IMAGE_SHAPE)
        assert keypoints.tolist() == [[64, 36]] and scores == pytest.approx([1.5 / 2])

    @pytest.mark.parametrize('center', [(64, 36), (-10, 40), (125, 3)])
    def test_pixels_are_those_of_a_search_through_the_whole_image(self, center):
        corners, sizes = crops(center, 90.7)
        sizes[:, 1] *= 1.3
        heatmaps = [torch.rand(16, 16, 12) for _ in SCALES]
        keypoints, scores = search(heatmaps, corners, sizes, IMAGE_SHAPE)
        average = reference(heatmaps, corners, sizes, IMAGE_SHAPE)
        best = average.max(axis=(1, 2))
        x, y = keypoints.astype(int).T
        assert (keypoints == np.stack([x, y], axis=1)).all()
        # Which of two pixels is higher is rounding where both are as good as equal.
        close = 8 * 16 * EPSILON  # positions of up to 16 cells, in several steps
        assert_same(average[np.arange(16), y, x], best, share=close)
        assert_same(scores, best, share=close)

    def test_autocast_changes_nothing(self):
        corners, sizes = crops((64, 36), 90.7)
        heatmaps = [torch.rand(16, CELLS, CELLS) for _ in SCALES]
        expected = search(heatmaps, corners, sizes, IMAGE_SHAPE)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            found = search(heatmaps, corners, sizes, IMAGE_SHAPE)
        assert all((a == b).all() for a, b in zip(found, expected, strict=True))

    def test_a_box_beside_the_image_gives_a_pixel_of_its_border(self):
        corners, sizes = crops((400, 36), 40)
        keypoints, scores = search(
            [torch.ones(2, 16, 16)] * len(SCALES), corners, sizes, IMAGE_SHAPE
        )
        assert (keypoints[:, 0] == IMAGE_SHAPE[1] - 1).all() and not scores.any()


class TestMergedSample:
    def estimator(self, head: str = 'HeatmapHead', **decoder) -> TopdownPoseEstimator:
        decoder = dict(
            type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2
        ) | dict(decoder)
        return MODELS.build(
            dict(
                type='TopdownPoseEstimator',
                backbone=dict(type='StackedHourglass', num_stacks=1, num_features=8),
                head=dict(
                    type=head, in_channels=16, out_channels=16,
                    deconv_out_channels=None, final_layer=None, decoder=decoder,
                ),
            )
        )  # fmt: skip

    def samples(self, scales: tuple) -> list[PoseDataSample]:
        found = []
        for scale in scales:
            size = np.float32([40, 40]) * np.float32(scale)
            sample = PoseDataSample(
                metainfo=dict(
                    id=7, input_center=np.float32([64, 36]), input_scale=size,
                    input_size=(64, 64), ori_shape=IMAGE_SHAPE,
                )
            )  # fmt: skip
            box = np.float32([[48, 20, 80, 52]])
            sample.gt_instances = InstanceData(
                bboxes=box, bbox_scales=size[None], head_size=np.ones((1, 1))
            )
            sample.pred_instances = InstanceData(
                keypoints=np.full((1, 16, 2), -5.0), bboxes=box,
                keypoint_scores=np.zeros((1, 16)), bbox_scores=np.ones(1),
            )  # fmt: skip
            sample.pred_fields = PixelData(heatmaps=torch.rand(16, 16, 16))
            found.append(sample)
        return found

    @pytest.mark.parametrize('scales', [SCALES, (0.5, 0.8), (1.25,)])
    def test_is_the_person_at_scale_1_with_the_searched_joints(self, scales):
        samples = self.samples(scales)
        heatmaps = [sample.pred_fields.heatmaps for sample in samples]
        model = MultiScaleSearch(self.estimator(), scales=scales)
        (merged,) = model.merge_preds([samples])
        keypoints, scores = search(heatmaps, *crops((64, 36), 40, scales), IMAGE_SHAPE)
        found, truth = merged.pred_instances, merged.gt_instances
        assert np.array_equal(found.keypoints, keypoints[None])
        assert np.array_equal(found.keypoint_scores, scores[None])
        assert np.array_equal(found.keypoints_visible, scores[None])
        assert found.bboxes.tolist() == truth.bboxes.tolist() == [[48, 20, 80, 52]]
        assert np.allclose(truth.bbox_scales, 40)
        assert merged.metainfo['id'] == 7 and 'head_size' in truth

    def test_carries_no_heatmaps_of_a_single_scale(self):
        model = MultiScaleSearch(self.estimator())
        (merged,) = model.merge_preds([self.samples(SCALES)])
        assert not any('heatmap' in key for key in merged.to_dict())
        assert 'pred_fields' not in merged

    def test_another_number_of_scales_is_an_error(self):
        model = MultiScaleSearch(self.estimator(), scales=(1, 1.1))
        with pytest.raises(ValueError, match='made 6 scales .* expects 2'):
            model.merge_preds([self.samples(SCALES)])

    def test_other_estimators_are_an_error(self):
        with pytest.raises(ValueError, match='TopdownPoseEstimator .* UDPHeatmap'):
            MultiScaleSearch(self.estimator(type='UDPHeatmap'))
        no_head = self.estimator()
        del no_head.head
        with pytest.raises(ValueError, match='TopdownPoseEstimator with NoneType'):
            MultiScaleSearch(no_head)


@pytest.mark.parametrize(
    'scales', [(), 'many', None, 1.0, (1, 0), (-1,), ('x',), (float('nan'),), ('inf',)]
)
def test_impossible_scales_are_an_error(scales):
    with pytest.raises(ValueError, match='scales') as error:
        check_scales(scales)
    assert '\n' not in str(error.value)
