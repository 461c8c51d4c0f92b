"""The networks of the demos find the keypoints that MMPose finds."""

import cv2
import numpy as np
import pytest
import torch
from mmpose.apis import inference_topdown, init_model
from mmpose.structures import merge_data_samples

from fpd_mmpose.demos import PoseNetwork, load_teacher
from fpd_mmpose.demos.painter import Painter
from fpd_mmpose.errors import UserError

BOXES = [[5, 10, 60, 110], [20.5, 0, 89, 70]]


def test_it_finds_the_keypoints_that_mmpose_finds(files, student, image_file):
    image = cv2.imread(str(image_file))
    model = init_model(files['student'], files['student_weights'], device='cpu')
    stock = merge_data_samples(inference_topdown(model, image, BOXES)).pred_instances

    found = student(image, BOXES)
    np.testing.assert_array_equal(found.people.keypoints, stock.keypoints)
    np.testing.assert_array_equal(found.people.keypoint_scores, stock.keypoint_scores)
    np.testing.assert_array_equal(found.people.bboxes, np.float32(BOXES))
    assert found.heatmap is None and found.milliseconds > 0


def test_its_heatmap_is_the_maximum_of_those_of_mmpose(student, image_file):
    image = cv2.imread(str(image_file))
    found = student(image, BOXES, heatmap=True)
    samples = inference_topdown(student.model, image, np.array(BOXES))
    stock = merge_data_samples(samples).pred_fields.heatmaps.max(axis=0)
    assert found.heatmap.shape == (120, 90)
    # The maximum of interpolated values is not the interpolated maximum.
    highest = np.maximum(stock, 0)
    # OpenCV 5 warps one map more exactly than several at once.
    rounding = 1e-6 if cv2.__version__ < '5' else 0.05
    assert (found.heatmap >= highest - rounding).all()
    np.testing.assert_allclose(found.heatmap, highest, atol=0.2 * highest.max())


def test_without_boxes_the_whole_image_is_one_person(student, image_file):
    image = cv2.imread(str(image_file))
    np.testing.assert_array_equal(student(image).people.bboxes, [[0, 0, 90, 120]])


def test_an_image_that_opencv_does_not_warp(student, image_file):
    image = cv2.imread(str(image_file))
    wide = np.zeros((120, 40_000, 3), np.uint8)
    wide[:, -90:] = image
    shift = [39_910, 0]
    boxes = np.float32(BOXES[:1]) + np.float32(shift * 2)
    found, expected = student(wide, boxes, heatmap=True), student(image, BOXES[:1])
    keypoints = found.people.keypoints
    np.testing.assert_allclose(keypoints - shift, expected.people.keypoints, atol=2)
    assert found.heatmap.shape == (120, 40_000)
    heatmap = student(image, BOXES[:1], heatmap=True).heatmap
    np.testing.assert_allclose(found.heatmap[:, -90:], heatmap, atol=0.1)
    drawn = Painter(student, kpt_thr=0).skeletons(wide, found)
    assert drawn.shape == wide.shape and (drawn != wide).any()


def test_no_boxes_give_no_keypoints(student, image_file):
    found = student(cv2.imread(str(image_file)), np.zeros((0, 4)), heatmap=True)
    assert found.people.keypoints.shape == (0, 16, 2)
    assert not found.heatmap.any()


def test_it_names_the_keypoints(student):
    assert len(student.joints) == 16
    assert student.joints[0] == 'right_ankle' and student.joints[9] == 'head_top'


def test_the_config_names_the_teacher(files, teacher):
    assert teacher.label == 'teacher' and teacher.name == 'small_teacher'
    stored = torch.load(files['teacher_weights'], weights_only=True)['state_dict']
    assert all(
        torch.equal(value, stored[name])
        for name, value in teacher.model.state_dict().items()
    )


# --- Errors --------------------------------------------------------------------------


def error_of(function, *args) -> str:
    with pytest.raises(UserError) as error:
        function(*args)
    assert '\n' not in str(error.value)
    return str(error.value)


def test_unusable_images_and_boxes(student):
    image = np.zeros((40, 30, 3), np.uint8)
    assert 'no pixels' in error_of(student, image[:0])
    assert 'box 0' in error_of(student, image, [[50, 0, 60, 10]])
    assert 'not finite' in error_of(student, image, [[0, 0, 10, float('nan')]])


def test_files_of_different_networks(files, tmp_path):
    text = error_of(PoseNetwork, files['student'], files['teacher_weights'], 'cpu')
    assert files['teacher_weights'] in text and 'does not fit' in text
    text = error_of(PoseNetwork, files['student'], str(tmp_path / 'no.pth'), 'cpu')
    assert 'no.pth' in text
    text = error_of(PoseNetwork, str(tmp_path / 'no.py'), files['student_weights'])
    assert 'no.py" does not exist' in text


def test_a_student_that_names_no_teacher(files):
    text = error_of(load_teacher, files['teacher'])
    assert 'small_teacher.py" does not name a teacher' in text
    text = error_of(load_teacher, files['student'], (files['teacher'], 'no.pth'), 'cpu')
    assert text.startswith('teacher: ') and 'no.pth' in text


def test_a_config_without_a_pipeline(files):
    content = dict(PoseNetwork(files['teacher'], files['teacher_weights']).model.cfg)
    text = error_of(PoseNetwork, dict(model=content['model']), 'any.pth')
    assert 'no test_dataloader' in text
