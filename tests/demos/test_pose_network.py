"""A network in a demo finds what MMPose's own functions find."""

import cv2
import numpy as np
import torch
from mmpose.apis import inference_topdown, init_model
from mmpose.structures import merge_data_samples

from fpd_mmpose.demos import PoseNetwork, load_teacher, pick_device
from tests.helpers.refusals import refused

BOXES = [[5, 10, 60, 110], [20.5, 0, 89, 70]]


def test_it_finds_the_keypoints_that_mmpose_finds(files, student, picture):
    image = cv2.imread(str(picture))
    model = init_model(files['student'], files['student_weights'], device='cpu')
    stock = merge_data_samples(inference_topdown(model, image, BOXES)).pred_instances

    found = student(image, BOXES)
    np.testing.assert_array_equal(found.people.keypoints, stock.keypoints)
    np.testing.assert_array_equal(found.people.keypoint_scores, stock.keypoint_scores)
    np.testing.assert_array_equal(found.people.bboxes, np.float32(BOXES))
    assert found.heatmap is None and found.milliseconds > 0


def test_its_heatmap_is_the_highest_of_mmposes(student, picture):
    image = cv2.imread(str(picture))
    found = student(image, BOXES, heatmap=True)
    samples = inference_topdown(student.model, image, np.array(BOXES))
    stock = merge_data_samples(samples).pred_fields.heatmaps.max(axis=0)
    assert found.heatmap.shape == (120, 90)
    # The largest of interpolated values is not the interpolated largest.
    stronger = np.maximum(stock, 0)
    assert (found.heatmap >= stronger - 1e-6).all()
    np.testing.assert_allclose(found.heatmap, stronger, atol=0.2 * stronger.max())


def test_without_boxes_the_whole_image_is_one(student, picture):
    image = cv2.imread(str(picture))
    np.testing.assert_array_equal(student(image).people.bboxes, [[0, 0, 90, 120]])


def test_an_image_without_people_has_no_keypoints(student, picture):
    found = student(cv2.imread(str(picture)), np.zeros((0, 4)), heatmap=True)
    assert found.people.keypoints.shape == (0, 16, 2)
    assert not found.heatmap.any()


def test_it_names_the_joints(student):
    assert len(student.joints) == 16
    assert student.joints[0] == 'right_ankle' and student.joints[9] == 'head_top'


def test_the_teacher_is_the_one_that_the_config_names(files, teacher):
    assert teacher.label == 'teacher' and teacher.name == 'small_teacher'
    stored = torch.load(files['teacher_weights'], weights_only=True)['state_dict']
    assert all(
        torch.equal(value, stored[name])
        for name, value in teacher.model.state_dict().items()
    )


# --- What cannot work ----------------------------------------------------------------


def test_images_and_boxes_that_cannot_be_used(student):
    image = np.zeros((40, 30, 3), np.uint8)
    assert 'no pixels' in refused(student, image[:0])
    assert 'box 0' in refused(student, image, [[50, 0, 60, 10]])
    assert 'not finite' in refused(student, image, [[0, 0, 10, float('nan')]])


def test_files_that_do_not_belong_together(files, tmp_path):
    text = refused(PoseNetwork, files['student'], files['teacher_weights'], 'cpu')
    assert files['teacher_weights'] in text and 'does not fit' in text
    text = refused(PoseNetwork, files['student'], str(tmp_path / 'no.pth'), 'cpu')
    assert 'no.pth' in text
    text = refused(PoseNetwork, str(tmp_path / 'no.py'), files['student_weights'])
    assert 'no.py" does not exist' in text


def test_a_student_that_names_no_teacher(files):
    text = refused(load_teacher, files['teacher'])
    assert 'small_teacher.py" names no teacher' in text and '--teacher CONFIG' in text
    text = refused(load_teacher, files['student'], (files['teacher'], 'no.pth'), 'cpu')
    assert text.startswith('teacher: ') and 'no.pth' in text


def test_a_teacher_of_which_the_config_gives_the_network_alone(files):
    content = dict(PoseNetwork(files['teacher'], files['teacher_weights']).model.cfg)
    text = refused(PoseNetwork, dict(model=content['model']), 'any.pth')
    assert 'no test_dataloader' in text


def test_devices():
    assert pick_device('cpu') == 'cpu'
    assert pick_device() in ('cpu', 'cuda:0')
    assert 'device "cuda:99" cannot be used' in refused(pick_device, 'cuda:99')
    assert 'device "gpu"' in refused(pick_device, 'gpu')
