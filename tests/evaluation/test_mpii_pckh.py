"""PCKh with the columns of the reference."""

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample
from scipy.io import loadmat, savemat

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.errors import UserError
from fpd_mmpose.evaluation import MpiiPCKh, mpii_pckh

HEAD = 100.0
COLUMN_OF = {
    9: 'Head',
    **dict.fromkeys((12, 13), 'Shoulder'),
    **dict.fromkeys((11, 14), 'Elbow'),
    **dict.fromkeys((10, 15), 'Wrist'),
    **dict.fromkeys((2, 3), 'Hip'),
    **dict.fromkeys((1, 4), 'Knee'),
    **dict.fromkeys((0, 5), 'Ankle'),
}
COLUMNS = ['Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle']


def table(error: np.ndarray, visible: np.ndarray | None = None) -> dict[str, float]:
    """The metric for errors, (people, 16), in units of the head size."""
    shift = np.stack([0 * error, error * HEAD], axis=-1)
    if visible is None:
        visible = np.ones(error.shape, bool)
    return mpii_pckh(shift, 0 * shift, visible, np.full(len(error), HEAD))


def test_the_columns_are_those_of_the_reference_and_two_more():
    names = COLUMNS + ['Mean', 'Mean@0.1', 'PCKh@0.1', 'AUC']
    assert list(table(np.zeros((1, 16)))) == names


def test_perfect_predictions_get_100_everywhere():
    assert set(table(np.zeros((3, 16))).values()) == {100.0}


def test_hopeless_predictions_get_0_everywhere():
    assert set(table(np.full((3, 16), 9.0)).values()) == {0.0}


@pytest.mark.parametrize('joint', range(16))
def test_a_keypoint_counts_in_its_column_and_in_the_mean(joint):
    error = np.zeros((1, 16))
    error[0, joint] = 9
    found = table(error)
    missed = [name for name in COLUMNS if found[name] < 100]
    if joint in (6, 7, 8):  # pelvis, thorax and upper neck have no column
        assert missed == []
    else:
        assert missed == [COLUMN_OF[joint]]
        assert found[missed[0]] == (0 if joint == 9 else 50)
    # Pelvis and thorax are left out of the mean over the other 14.
    expected = 100.0 if joint in (6, 7) else pytest.approx(100 * 13 / 14)
    assert found['Mean'] == expected


@pytest.mark.parametrize('shift', [(30, 40), (-50, 0), (0, 50)])
def test_an_error_of_exactly_half_a_head_is_correct(shift):
    shift = np.full((1, 16, 2), shift, np.float64)
    rest = np.zeros_like(shift), np.ones((1, 16), bool), np.array([HEAD])
    found = mpii_pckh(shift, *rest)
    assert found['Mean'] == found['Head'] == 100
    found = mpii_pckh(shift * (1 + 1e-9), *rest)
    assert found['Mean'] == found['Head'] == 0


def test_errors_are_relative_to_each_persons_head():
    shift = np.full((2, 16, 2), [0.0, 30.0])
    ones = np.ones((2, 16), bool)
    found = mpii_pckh(shift, np.zeros_like(shift), ones, np.array([100.0, 50.0]))
    assert found['Mean'] == 50


@pytest.mark.parametrize(
    'error, at_011, at_010',
    [(0.1, 100, 100), (0.105, 100, 0), (0.11, 100, 0), (0.1101, 0, 0)],
)
def test_mean_at_01_is_at_011_as_in_the_reference(error, at_011, at_010):
    found = table(np.full((1, 16), error))
    assert (found['Mean@0.1'], found['PCKh@0.1']) == (at_011, at_010)


@pytest.mark.parametrize(
    'error, thresholds', [(0, 51), (0.255, 25), (0.5, 1), (0.51, 0)]
)
def test_auc_averages_the_mean_over_51_thresholds(error, thresholds):
    found = table(np.full((1, 16), error))
    assert found['AUC'] == pytest.approx(100 * thresholds / 51)


def test_keypoints_that_are_not_annotated_do_not_count():
    error, visible = np.zeros((2, 16)), np.ones((2, 16), bool)
    error[1, [9, 12]] = 9
    visible[1, 9] = False
    found = table(error, visible)
    assert found['Head'] == 100
    assert found['Shoulder'] == 75  # one of joint 12's two people, both of joint 13's


def test_columns_average_keypoints_and_the_mean_weights_them_by_people():
    # Joint 12: annotated for one person, missed; joint 13: for three, found.
    error, visible = np.zeros((3, 16)), np.zeros((3, 16), bool)
    error[:, 12] = 9
    visible[0, 12] = visible[:, 13] = True
    found = table(error, visible)
    assert found['Shoulder'] == 50
    assert found['Mean'] == 75


def test_columns_without_annotations_are_nan_without_a_warning():
    visible = np.zeros((2, 16), bool)
    visible[:, 9] = True
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found = table(np.zeros((2, 16)), visible)
        nothing = table(np.zeros((2, 16)), np.zeros((2, 16), bool))
    assert found['Head'] == found['Mean'] == found['AUC'] == 100
    assert all(math.isnan(found[name]) for name in COLUMNS[1:])
    assert all(math.isnan(value) for value in nothing.values())


def test_the_means_of_pelvis_and_thorax_alone_are_nan():
    visible = np.zeros((1, 16), bool)
    visible[:, [6, 7]] = True
    assert math.isnan(table(np.zeros((1, 16)), visible)['Mean'])


def test_scores_match_the_reference_on_mpii_val(shared):
    dataset = FPDMpiiDataset(
        str(shared / 'data/mpii_eval/mpii_val.json'),
        headbox_file=str(shared / 'data/mpii_eval/mpii_gt_val.mat'),
        test_mode=True,
    )
    predictions = np.load(shared / 'reference/pckh_mpii_val_preds.npz')['preds']
    expected = json.loads((shared / 'reference/pckh_mpii_val.json').read_text())
    metric = MpiiPCKh()
    metric.process(
        [],
        [
            dict(pred_instances=dict(keypoints=one[None]), gt_instances=truth)
            for one, truth in zip(predictions, dataset, strict=True)
        ],
    )
    found = metric.evaluate(len(dataset))
    assert len(dataset) == 2958 and len(expected) == 9
    for name, value in expected.items():
        assert found[f'PCKh/{name}'] == pytest.approx(value, abs=1e-3), name


# --- The metric as the runner uses it ----------------------------------------------


@pytest.fixture
def people() -> dict[str, np.ndarray]:
    target = np.random.uniform(0, 500, (7, 16, 2))
    return dict(
        keypoints=target + np.random.normal(0, 30, target.shape),
        target=target,
        visible=np.random.rand(7, 16) < 0.8,
        head_size=np.random.uniform(40, 120, 7),
    )


def sample_of(people: dict, index: int, as_tensor: bool, columns: int) -> dict:
    """A data sample as the evaluator passes it."""
    visible = people['visible'][index][None].astype(np.float32)
    fields: dict[str, Any] = dict(
        keypoints=people['target'][index][None],
        keypoints_visible=visible if columns == 1 else np.stack([visible] * 2, -1),
        head_size=people['head_size'][index].reshape(1, 1),
    )
    found = people['keypoints'][index][None]
    if as_tensor:
        fields = {name: torch.from_numpy(value) for name, value in fields.items()}
    return PoseDataSample(
        gt_instances=InstanceData(**fields),
        pred_instances=InstanceData(keypoints=found),
    ).to_dict()


@pytest.mark.parametrize('as_tensor', [True, False])
@pytest.mark.parametrize('columns', [1, 2])
def test_the_metric_returns_the_numbers_of_the_function(people, as_tensor, columns):
    samples = [sample_of(people, index, as_tensor, columns) for index in range(7)]
    metric = METRICS.build(dict(type='MpiiPCKh'))
    metric.process([], samples[:4])
    metric.process([], samples[4:])
    assert metric.compute_metrics(metric.results) == mpii_pckh(**people)
    found = metric.evaluate(7)
    assert found == {f'PCKh/{name}': v for name, v in mpii_pckh(**people).items()}
    assert 0 < found['PCKh/Mean'] < 100
    assert metric.results == []


def test_missing_head_sizes_are_an_error(people):
    sample = sample_of(people, 0, False, 1)
    del sample['gt_instances']['head_size']
    with pytest.raises(UserError, match='set `headbox_file`') as info:
        MpiiPCKh().process([], [sample])
    assert '\n' not in str(info.value)


# --- Ground truth from gt_valid.mat, predictions to pred.mat ----------------------


def test_other_keypoints_than_those_of_mpii_are_an_error():
    metric = MpiiPCKh()
    metric.dataset_meta = dict(num_keypoints=16)
    with pytest.raises(ValueError, match='16 keypoints of MPII.* has 4: .*PCKAccuracy'):
        metric.dataset_meta = dict(num_keypoints=4)


@pytest.fixture
def gt_file(people, tmp_path) -> Path:
    path = tmp_path / 'annot/gt_valid.mat'
    path.parent.mkdir()
    boxes = np.zeros((2, 2, 7))
    boxes[1, 0] = people['head_size'] / 0.6
    savemat(
        path,
        dict(
            pos_gt_src=people['target'].transpose(1, 2, 0) + 1,
            jnt_missing=1 - people['visible'].T.astype(np.uint8),
            headboxes_src=boxes,
        ),
    )
    return path


def records(people: dict, *order: int, truth: bool = False) -> list[dict]:
    """Samples with their record numbers, in any order."""
    samples = []
    for index in order:
        sample = sample_of(people, index, True, 1)
        if not truth:
            sample['gt_instances'] = {}
        samples.append({**sample, 'id': index})
    return samples


@pytest.mark.parametrize('name', ['annot/gt_valid.mat', 'annotations/mpii_gt_val.mat'])
def test_ground_truth_comes_from_the_file_by_record(people, gt_file, name):
    metric = METRICS.build(
        dict(type='MpiiPCKh', gt_file=str(gt_file.parents[1] / name))
    )
    metric.process([], records(people, 3, 1, 0, 2, 6, 5, 4))
    found = metric.evaluate(7)
    for column, value in mpii_pckh(**people).items():
        assert found[f'PCKh/{column}'] == pytest.approx(value), column


def test_the_file_overrides_the_dataset(people, gt_file):
    truth = loadmat(gt_file)
    truth['headboxes_src'] *= 1e6
    savemat(gt_file, {name: v for name, v in truth.items() if name[0] != '_'})
    metric = MpiiPCKh(gt_file=str(gt_file))
    metric.process([], records(people, *range(7), truth=True))
    assert metric.evaluate(7)['PCKh/Mean'] == 100


def test_a_file_with_other_people_is_an_error(people, gt_file):
    metric = MpiiPCKh(gt_file=str(gt_file))
    samples = records(people, 2, truth=True)
    samples[0]['id'] = 3
    with pytest.raises(UserError, match='record 3 .* have different keypoints'):
        metric.process([], samples)
    samples[0]['id'] = 7
    with pytest.raises(UserError, match='has 7 people, but the dataset has a record 7'):
        metric.process([], samples)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'pos_gt_src': None}, 'has no `pos_gt_src`'),
        ({'jnt_missing': np.zeros((16, 6))}, r'`jnt_missing` of shape \(16, 6\)'),
        ({'pos_gt_src': np.full((16, 2, 7), np.nan)}, 'record 0 .* not a finite'),
        ({'headboxes_src': np.zeros((2, 2, 7))}, 'record 0 .* has no length'),
        ({'headboxes_src': np.zeros((4, 7))}, 'expected .2, 2, people.'),
    ],
)
def test_a_file_that_is_not_from_mpii_is_an_error(gt_file, change, message):
    truth = {name: v for name, v in loadmat(gt_file).items() if name[0] != '_'} | change
    savemat(gt_file, {name: v for name, v in truth.items() if v is not None})
    with pytest.raises(ValueError, match=message) as info:
        MpiiPCKh(gt_file=str(gt_file))
    assert str(gt_file) in str(info.value) and '\n' not in str(info.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match='gt_valid.mat" does not exist'):
        MpiiPCKh(gt_file=str(tmp_path / 'gt_valid.mat'))


def test_predictions_are_written_as_in_the_reference(people, tmp_path):
    path = tmp_path / 'new/pred.mat'
    metric = MpiiPCKh(pred_file=str(path))
    metric.process([], records(people, 2, 0, 1))
    # Nobody has ground truth: nothing is evaluated.
    assert metric.evaluate(3) == {}
    np.testing.assert_array_equal(loadmat(path)['preds'], people['keypoints'][:3] + 1)
    assert [file.name for file in path.parent.iterdir()] == ['pred.mat']


def test_people_without_ground_truth_are_counted(people, monkeypatch):
    warnings_of = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', warnings_of.append)
    metric = MpiiPCKh()
    metric.process([], records(people, 0, 1, truth=True) + records(people, 2))
    found = metric.evaluate(3)
    rest = {name: value[:2] for name, value in people.items()}
    assert found['PCKh/Mean'] == mpii_pckh(**rest)['Mean']
    assert '1 of 3 people have no ground truth' in warnings_of[0]


def test_scores_with_the_published_ground_truth_match_the_reference(shared):
    folder = shared / 'data/mpii_eval'
    predictions = np.load(shared / 'reference/pckh_mpii_val_preds.npz')['preds']
    expected = json.loads((shared / 'reference/pckh_mpii_val.json').read_text())
    metric = MpiiPCKh(gt_file=str(folder / 'mpii_gt_val.mat'))
    dataset = FPDMpiiDataset(str(folder / 'mpii_val.json'), test_mode=True)
    samples = [
        dict(pred_instances=dict(keypoints=one[None]), gt_instances=truth, id=index)
        for index, (one, truth) in enumerate(zip(predictions, dataset, strict=True))
    ]
    metric.process([], samples)
    found = metric.evaluate(len(samples))
    for name, value in expected.items():
        assert found[f'PCKh/{name}'] == pytest.approx(value, abs=1e-3), name
