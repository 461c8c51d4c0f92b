"""What a run leaves is checked when it is read again."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from fpd_mmpose.studies.run_record import (
    PREDICTIONS,
    RECORD,
    read_predictions,
    read_record,
)
from fpd_mmpose.studies.study_plan import Arm, StudyPlan
from fpd_mmpose.studies.study_report import StudyReport
from tests.helpers.refusals import refused

VALID = dict(
    fingerprint='0' * 64, epochs=2, steps=40, samples=400,
    seconds=dict(storing=0.0, training=1.5), scores={'PCKh/Mean': float('nan')},
    right=[3, 4], annotated=[5, 14],
)  # fmt: skip


def test_the_record_of_a_run_is_read_as_it_was_written(tmp_path):
    assert read_record(tmp_path) == {}
    for changes in ({}, dict(epochs=None, seconds=None)):
        (tmp_path / RECORD).write_text(json.dumps({**VALID, **changes}))
        assert read_record(tmp_path).keys() == VALID.keys()


@pytest.mark.parametrize(
    'field, value',
    [
        ('fingerprint', 3), ('fingerprint', None), ('epochs', '2'), ('epochs', -1),
        ('steps', None), ('steps', 0.5), ('steps', True), ('samples', 10**400),
        ('seconds', 1.5), ('seconds', {}), ('seconds', dict(storing=0, training='1')),
        ('scores', []), ('scores', {'PCKh/Mean': '50'}), ('scores', None),
        ('right', 3), ('right', [1]), ('right', [1, 'x']), ('right', [[1], [2]]),
    ],
)  # fmt: skip
def test_a_record_with_another_type_is_refused(field, value, tmp_path):
    (tmp_path / RECORD).write_text(json.dumps({**VALID, field: value}))
    message = refused(read_record, tmp_path)
    assert f'{RECORD}" has no valid `{field}`: remove it' in message


@pytest.mark.parametrize('field', [*VALID][:6])
def test_no_field_may_be_missing(field, tmp_path):
    record = {name: value for name, value in VALID.items() if name != field}
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert f'no valid `{field}`' in refused(read_record, tmp_path)


def report_of(folder, **records) -> StudyReport:
    arms = {name: Arm(name, 'config.py', label=name) for name in records}
    plan = StudyPlan(arms, (), (0,))
    return StudyReport(plan, folder, {(name, 0): r for name, r in records.items()})


def test_a_score_that_no_run_has_is_named(tmp_path):
    report = report_of(tmp_path, a={**VALID, 'scores': {'AP': 0.5}})
    message = refused(lambda: report.rows)
    assert f'{RECORD}" has no score "PCKh/Mean"' in message and 'can be AP' in message


def test_arms_that_were_scored_on_other_people_are_compared_by_their_scores(tmp_path):
    scores = {'PCKh/Mean': 50.0}
    more = dict(VALID, scores={'PCKh/Mean': 52.0}, right=[1], annotated=[2])
    report = report_of(tmp_path, a=more, b=dict(VALID, scores=scores))
    assert report.difference('a', 'b').mean == 2


def test_a_record_that_is_no_object_is_refused(tmp_path):
    (tmp_path / RECORD).write_text('[1]')
    assert 'no valid `fingerprint`' in refused(read_record, tmp_path)


def test_predictions_are_read_in_0_based_pixels(tmp_path):
    points = np.random.default_rng(0).random((3, 16, 2)) * 99
    savemat(tmp_path / PREDICTIONS, dict(preds=points + 1))
    np.testing.assert_allclose(read_predictions(tmp_path, 3), points)


@pytest.mark.parametrize(
    'preds',
    [
        np.zeros((2, 16, 2)), np.zeros((3, 16)), np.full((3, 16, 2), np.nan),
        np.full((3, 16, 2), 1e300), np.full((3, 16, 2), 'x'), {'a': 1}, [[1, 'x'], {}],
    ],
    ids=str,
)  # fmt: skip
def test_other_predictions_are_refused(preds, tmp_path):
    savemat(tmp_path / PREDICTIONS, dict(preds=preds))
    message = refused(read_predictions, tmp_path, 3)
    assert f'{PREDICTIONS}" does not have 16 keypoints of 3 people' in message


def test_predictions_that_are_damaged_are_refused(tmp_path):
    savemat(tmp_path / PREDICTIONS, dict(preds=np.zeros((3, 16, 2))))
    path = tmp_path / PREDICTIONS
    path.write_bytes(path.read_bytes()[:-50])
    assert 'cannot be read as a MATLAB file' in refused(read_predictions, tmp_path, 3)
