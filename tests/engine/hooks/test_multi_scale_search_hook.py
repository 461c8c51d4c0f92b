"""Trained networks are tested with multi-scale search."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.models import TopdownPoseEstimator
from scipy.ndimage import map_coordinates

from fpd_mmpose.engine.hooks.multi_scale_search_hook import MultiScaleSearchHook
from fpd_mmpose.models.tta import SCALES
from tests.helpers.reduced import reduced_config, reduced_distiller, run
from tests.helpers.rounding import assert_same

NAME = MultiScaleSearchHook.__name__


def average_of(samples: list[dict]) -> np.ndarray:
    """Averages heatmaps of several scales at all pixels: (K, height, width)."""
    pixels = np.indices(samples[0]['ori_shape'])
    total, looked_at = 0, False
    for sample in samples:
        heatmaps = sample['pred_fields']['heatmaps'].double().numpy()
        # From (x, y) to (row, column).
        size, center = (sample[f'input_{name}'][::-1] for name in ('scale', 'center'))
        cells = np.array(heatmaps.shape[1:]) / size
        positions = (pixels.T - (center - size / 2)) * cells
        # With a network this young, averages may be negative wherever it looked.
        looked_at |= ((positions > -cells) & (positions < heatmaps.shape[1:])).all(-1).T
        total = total + np.stack(
            [
                map_coordinates(heatmap, positions.T, order=1, mode='grid-constant')
                for heatmap in heatmaps
            ]
        )
    return np.where(looked_at, total / len(samples), -np.inf)


def dumped(config: Config, path: Path) -> tuple[dict, dict]:
    """Tests a config; returns the metrics, and the samples by id."""
    config.test_evaluator = [
        dict(type='MpiiPCKh'),
        dict(type='DumpResults', out_file_path=str(path)),
    ]
    metrics = Runner.from_cfg(config).test()
    samples = pickle.loads(path.read_bytes())
    return metrics, {sample['id']: sample for sample in samples}


@pytest.mark.parametrize(
    ('kind', 'scales'), [('student', SCALES), ('distiller', (1.0, 1.2))]
)
def test_the_runner_searches_each_person(mpii_root, tmp_path, kind, scales):
    def config(work_dir: str) -> Config:
        small = dict(stacks=2, features=8)
        if kind == 'distiller':
            return reduced_distiller(mpii_root, tmp_path, **small)
        return reduced_config(
            'hourglass/hg4_128_mpii.py', mpii_root, tmp_path / work_dir, **small
        )

    trained = run(config('train'))
    checkpoint = str(Path(trained.work_dir) / 'epoch_1.pth')

    searched = config('searched')
    searched.load_from = checkpoint
    searched.default_hooks.search = dict(type=NAME, scales=scales)
    metrics, people = dumped(searched, tmp_path / 'searched.pkl')

    # The same with stock components: one test for each scale, with another padding.
    maps: dict[int, list] = {}
    for scale in scales:
        single = config(f'at_{scale}')
        single.load_from = checkpoint
        single.model.test_cfg.output_heatmaps = True
        for step in single.test_dataloader.dataset.pipeline:
            if step['type'] == 'GetBBoxCenterScale':
                step['padding'] *= scale
        _, samples = dumped(single, tmp_path / 'single.pkl')
        for number, sample in samples.items():
            maps.setdefault(number, []).append(sample)
        if scale == 1:
            stock = samples

    assert len(people) == len(stock) == 6
    assert 0 <= metrics['PCKh/Mean'] <= 100
    for number, samples in maps.items():
        average = average_of(samples)
        found = people[number]['pred_instances']
        assert found['keypoints'].shape == (1, 16, 2)
        best = average.max(axis=(1, 2))
        x, y = found['keypoints'][0].astype(int).T
        assert np.array_equal(found['keypoints'][0], np.stack([x, y], axis=1))
        # Which of two pixels is higher is rounding where both are as good as equal.
        assert_same(average[np.arange(16), y, x], best)
        assert_same(found['keypoint_scores'][0], best)
        for group in ('gt_instances', 'pred_instances'):
            for key in ('bboxes', 'bbox_scores', 'bbox_scales', 'head_size'):
                if key in stock[number][group]:
                    assert np.array_equal(
                        people[number][group][key], stock[number][group][key]
                    )


def test_a_runner_gets_its_own_model_back_and_can_test_again(mpii_root, tmp_path):
    config = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, stacks=1, features=8
    )
    config.default_hooks.search = dict(type=NAME, scales=[0.9, 1.1])
    runner = Runner.from_cfg(config)
    first, second = runner.test(), runner.test()
    assert first == second
    assert isinstance(runner.model, TopdownPoseEstimator)


def test_a_pipeline_without_a_box_is_an_error(mpii_root, tmp_path):
    config = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, stacks=1, features=8
    )
    config.default_hooks.search = dict(type=NAME)
    pipeline = config.test_dataloader.dataset.pipeline
    pipeline[:] = [step for step in pipeline if step.type != 'GetBBoxCenterScale']
    with pytest.raises(ValueError, match='one GetBBoxCenterScale .*PackPoseInputs'):
        Runner.from_cfg(config).test()
