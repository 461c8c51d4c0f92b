"""The worst people are those whose labeled joints are farthest off in the mean."""

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from fpd_mmpose.panels.worst_people import WorstPeople


def person_with(
    number: int, distances: list[float], visible=None, height=200.0, **fields
):
    """A tested person, of whom each joint is so many pixels from its label."""
    truth = np.full((1, len(distances), 2), 50.0)
    labels = InstanceData(keypoints=truth, **fields)
    if visible is not None:
        labels.keypoints_visible = np.array([visible], np.float32)
    moved = truth + np.array(distances)[None, :, None] * [0.6, 0.8]
    sample = PoseDataSample(
        metainfo=dict(
            img_path='a.jpg', id=number, input_scale=np.array([100.0, height])
        )
    )
    sample.gt_instances = labels
    sample.pred_instances = InstanceData(keypoints=moved)
    return sample


def worst(*samples, count=2) -> list[tuple[int, float]]:
    people = WorstPeople(count)
    for sample in samples:
        people.add([sample])
    return [(one.id, pytest.approx(one.error)) for one in people.take()]


def test_the_mean_is_relative_to_the_height_of_the_crop():
    people = [
        person_with(1, [2, 4]),
        person_with(2, [10, 30]),
        person_with(3, [10, 10], height=50.0),
    ]
    assert worst(*people) == [(3, 0.2), (2, 0.1)]


def test_joints_without_a_label_do_not_count():
    people = [person_with(1, [90, 2], [0, 1]), person_with(2, [3, 3], [1, 2])]
    assert worst(*people) == [(2, 0.015), (1, 0.01)]
    weighted = person_with(3, [90, 4], [[0, 1], [1, 0]])  # visibility and weight
    assert worst(weighted) == [(3, 0.02)]


def test_people_without_labels_are_left_out():
    detected = person_with(1, [9])
    detected.gt_instances = InstanceData(bboxes=np.zeros((1, 4)))
    assert worst(detected, person_with(2, [9], [0]), person_with(3, [8], [1])) == [
        (3, 0.04)
    ]


def test_a_person_counts_once_and_is_forgotten_once_taken():
    person = person_with(1, [8])
    assert worst(person, person) == [(1, 0.04)]
    people = WorstPeople(1)
    people.add([person])
    assert people.take() and not people.take()


def test_none_are_kept_if_none_are_asked_for():
    assert worst(person_with(1, [8]), count=0) == []
