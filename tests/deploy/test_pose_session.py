"""Exported networks find the keypoints that MMPose finds."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from mmpose.apis import inference_topdown
from onnx import helper

from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic.scene import draw_person
from tests.helpers.exported import (
    INFO,
    JOINTS,
    small_network,
    write_decoded,
    write_small,
)
from tests.helpers.rounding import assert_same, assert_same_keypoints

#: Inside, beyond two borders, wide, tall, and small.
BOXES = np.float32(
    [
        [20, 30, 120, 180],
        [-40, -30, 90, 60],
        [10, 80, 190, 110],
        [150, 5, 170, 260],
        [100, 100, 104, 103],
    ]
)


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    """Draws a person in BGR, (200, 200, 3)."""
    return cv2.GaussianBlur(draw_person(0, 'val', 0).image, (0, 0), 1)


@pytest.fixture(scope='module', params=[False, True], ids=['reference', 'stock'])
def network(request, tmp_path_factory):
    """Builds a model in MMPose, and exports it, with either codec and crop."""
    folder = tmp_path_factory.mktemp('network')
    model, info = small_network(folder, stock=request.param)
    return model, info, write_small(model, info, folder / 'student.onnx')


def mmpose_finds(model, image, boxes=None) -> tuple[np.ndarray, np.ndarray]:
    found = [one.pred_instances for one in inference_topdown(model, image, boxes)]
    return (
        np.concatenate([one.keypoints for one in found]),
        np.concatenate([one.keypoint_scores for one in found]),
    )


def assert_same_poses(poses, expected) -> None:
    assert_same_keypoints(poses.keypoints, expected[0])
    assert_same(poses.scores, expected[1])


def test_keypoints_and_scores_are_those_of_mmpose(network, image):
    model, info, path = network
    session = PoseSession(path, threads=1)
    assert session.info == info
    poses = session(image, BOXES)
    assert_same_poses(poses, mmpose_finds(model, image, BOXES))
    np.testing.assert_array_equal(poses.boxes, BOXES)
    assert len(poses) == len(BOXES)
    assert np.ptp(poses.keypoints, axis=(0, 1)).min() > 20


def test_without_boxes_the_whole_image_is_one_person(network, image):
    model, _, path = network
    poses = PoseSession(path, threads=1)(image)
    assert_same_poses(poses, mmpose_finds(model, image))
    assert poses.boxes.tolist() == [[0, 0, *image.shape[1::-1]]]


@pytest.mark.parametrize('axis', [0, 1])
def test_images_that_opencv_does_not_warp(network, image, axis):
    model, _, path = network
    shape = (40_000, 200, 3) if axis == 0 else (200, 40_000, 3)
    long = np.zeros(shape, np.uint8)
    far = slice(39_800, None)
    long[(far, slice(None)) if axis == 0 else (slice(None), far)] = image
    boxes = BOXES[:1] + np.float32([0, 39_800] * 2 if axis == 0 else [39_800, 0] * 2)
    session = PoseSession(path, threads=1)
    poses = session(long, boxes)
    assert_same_poses(poses, mmpose_finds(model, long, boxes))
    shift = boxes[0, :2] - BOXES[0, :2]
    expected = session(image, BOXES[:1]).keypoints
    np.testing.assert_allclose(poses.keypoints - shift, expected, atol=2)
    assert np.isfinite(session(long).keypoints).all()


def test_no_boxes_give_no_poses(network, image):
    _, info, path = network
    poses = PoseSession(path, threads=1)(image, [])
    assert len(poses) == 0
    assert poses.keypoints.shape == (0, len(info.joints), 2)
    assert poses.scores.shape == (0, len(info.joints))


@pytest.mark.parametrize('dtype', [np.float32, np.float64, np.int64])
def test_boxes_are_cropped_in_the_precision_given(network, image, dtype):
    model, _, path = network
    corners = np.random.uniform(0, 120, (20, 2))
    boxes = np.hstack([corners, corners + np.random.uniform(20, 99, (20, 2))])
    boxes = boxes.astype(dtype)
    poses = PoseSession(path, threads=1)(image, boxes)
    keypoints, _ = mmpose_finds(model, image, boxes)
    assert_same_keypoints(poses.keypoints, keypoints, within=0)
    assert poses.keypoints.dtype == poses.boxes.dtype == np.float32


@pytest.mark.parametrize('batch_size', [1, 2, 5])
def test_the_batch_size_does_not_change_results(network, image, batch_size):
    _, _, path = network
    parts = PoseSession(path, threads=1, batch_size=batch_size)(image, BOXES)
    whole = PoseSession(path, threads=1)(image, BOXES)
    assert_same_keypoints(parts.keypoints, whole.keypoints, within=0)
    assert_same(parts.scores, whole.scores)


def test_batches_have_at_most_the_given_size(network, image, monkeypatch):
    _, _, path = network
    session = PoseSession(path, threads=1, batch_size=2)
    sizes, run = [], session._network
    monkeypatch.setattr(
        session, '_network', lambda batch: sizes.append(len(batch)) or run(batch)
    )
    session(image, BOXES)
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize('order', ['bgr', 'rgb'])
def test_a_network_that_normalizes_images(network, image, tmp_path, order):
    model, info, _ = network
    info = replace(info, image_order=order)
    session = PoseSession(write_small(model, info, tmp_path / 'images.onnx'), threads=1)
    assert_same_poses(session(image, BOXES), mmpose_finds(model, image, BOXES))


def test_a_network_that_decodes(tmp_path):
    image = np.full((100, 100, 3), (10, 20, 30), np.uint8)
    session = PoseSession(write_decoded(tmp_path / 'decoded.onnx', padding=1.0))
    # As large as the crop of 32x48 pixels; then twice as large, at a border.
    poses = session(image, [[10, 20, 42, 68], [0, 0, 64, 96]])
    expected = np.repeat(np.float32([[[18, 56]], [[16, 72]]]), len(JOINTS), axis=1)
    np.testing.assert_allclose(poses.keypoints, expected, atol=1e-4)
    np.testing.assert_allclose(poses.scores, [[30, 20, 10]] * 2, atol=1e-3)


def test_an_image_can_be_a_file(network, image, tmp_path):
    _, _, path = network
    path_of_image = tmp_path / 'person.png'
    cv2.imwrite(str(path_of_image), image)
    session = PoseSession(path, threads=1)
    for given in (path_of_image, str(path_of_image)):
        found = session(given, BOXES).keypoints
        np.testing.assert_array_equal(found, session(image, BOXES).keypoints)


def test_views_of_an_image_serve_as_their_copies(network, image):
    _, _, path = network
    session = PoseSession(path, threads=1)
    before = image.copy()
    for view in (image[..., ::-1], image[:, ::-1], image.transpose(1, 0, 2)):
        expected = session(view.copy(), BOXES[:1])
        np.testing.assert_array_equal(
            session(view, BOXES[:1]).keypoints, expected.keypoints
        )
    np.testing.assert_array_equal(image, before)


def test_threads_can_share_a_session(network, image):
    session = PoseSession(network[2], threads=1)
    expected = [session(image, [box]).keypoints for box in BOXES]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda box: session(image, [box]).keypoints, [*BOXES] * 10)
        for one, truth in zip(found, expected * 10, strict=True):
            np.testing.assert_array_equal(one, truth)


@pytest.mark.parametrize(
    ('given', 'boxes', 'why'),
    [
        (np.zeros((9, 9), np.uint8), None, r'\(H, W, 3\)'),
        (np.zeros((0, 9, 3), np.uint8), None, 'no pixels'),
        ('missing.jpg', None, '"missing.jpg" cannot be read'),
        (np.zeros((9, 9, 3), np.uint8), [[0, 0, np.nan, 5]], 'box 0 .* not finite'),
        (np.zeros((9, 9, 3), np.uint8), [[20, 0, 30, 5]], 'box 0 .* outside'),
    ],
)
def test_unusable_images_and_boxes_are_errors(network, given, boxes, why):
    session = PoseSession(network[2], threads=1)
    with pytest.raises(UserError, match=why):
        session(given, boxes)


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        (dict(codec='OtherHeatmap'), 'codec "OtherHeatmap".*FPDHeatmap, MSRAHeatmap'),
        (dict(crop='BottomupResize'), 'crop "BottomupResize"'),
        (dict(channel_order='gray'), 'channel order "gray"'),
        (dict(input_size=(32, 32)), r'input image \(batch, 48, 32, 3\)'),
        (
            dict(joints=JOINTS[:2], links=(), flip_indices=(1, 0)),
            r'output keypoints \(batch, 3, 2\), scores',
        ),
    ],
)
def test_a_file_of_another_release_is_an_error(tmp_path, changes, why):
    path = write_decoded(tmp_path / 'student.onnx', **changes)
    with pytest.raises(UserError, match=f'student.onnx.*{why}') as caught:
        PoseSession(path)
    assert '\n' not in str(caught.value)


def _rewritten(path: Path, **properties: str) -> Path:
    file = onnx.load(path)
    helper.set_model_props(file, properties)
    onnx.save(file, path)
    return path


def test_a_file_of_another_exporter_is_an_error(tmp_path):
    path = _rewritten(write_decoded(tmp_path / 'foreign.onnx'), author='someone')
    with pytest.raises(UserError, match='foreign.onnx.*tools/export_onnx.py'):
        PoseSession(path)


@pytest.mark.parametrize(
    'changes',
    [
        dict(joints=[1, 2, 3]),
        dict(mean=['a', 'b', 'c']),
        dict(std=[1, 1]),
        dict(padding='1.25'),
        dict(links=[[0, 7]]),
        dict(links=[[0, 1, 2]]),
        dict(flip_indices=[-1, 0, 2]),
        dict(input_size=[32, 48, 2]),
        dict(input_size=[32, 0]),
        dict(heatmap_size=[2**40, 12]),
        dict(heatmap_size=[8.0, 12]),
        dict(codec=dict()),
        dict(blur_kernel=[11, 11]),  # of another codec
        dict(codec='UDPHeatmap'),
        dict(codec='UDPHeatmap', blur_kernel=[4, 4]),
        dict(codec='UDPHeatmap', blur_kernel=[1, 3]),
        dict(codec='UDPHeatmap', blur_kernel=[11, 2**20 + 1]),
        dict(codec='UDPHeatmap', blur_kernel=[11, 11, 11]),
        dict(codec='UDPHeatmap', blur_kernel=11),
        dict(codec='UDPHeatmap', blur_kernel=['11', '11']),
        dict(codec='UDPHeatmap', blur_kernel=[11, 11], heatmap_size=[1, 12]),
        dict(codec='SimCCLabel'),
        dict(codec='SimCCLabel', split_ratio=0),
        dict(codec='SimCCLabel', split_ratio='2'),
        dict(codec='SimCCLabel', split_ratio=float('nan')),
        dict(codec='SimCCLabel', split_ratio=2, offset_radius=2),
        # By which the results would be divided.
        dict(codec='SimCCLabel', split_ratio=1e-320),
        dict(std=[1, 1, 1e-320]),
        dict(padding=1e300),
        dict(joints=None),
        dict(format=None),
    ],
)
def test_damaged_metadata_are_an_error(tmp_path, changes):
    metadata = json.loads(INFO.to_metadata()['fpd_mmpose']) | changes
    path = _rewritten(
        write_decoded(tmp_path / 'student.onnx'), fpd_mmpose=json.dumps(metadata)
    )
    with pytest.raises(UserError, match='student.onnx" has .*metadata') as caught:
        PoseSession(path)
    assert '\n' not in str(caught.value)


def test_results_that_are_not_finite_are_an_error(tmp_path):
    file = onnx.load(write_decoded(tmp_path / 'student.onnx'))
    corner = next(each for each in file.graph.initializer if each.name == 'corner')
    corner.float_data[0] = float('nan')
    onnx.save(file, tmp_path / 'student.onnx')
    session = PoseSession(tmp_path / 'student.onnx')
    with pytest.raises(UserError, match='student.onnx" computes NaN or infinity'):
        session(np.zeros((48, 32, 3), np.uint8))


def test_results_of_another_number_of_people_are_an_error(tmp_path):
    file = onnx.load(write_decoded(tmp_path / 'student.onnx'))
    file.graph.node[-1].output[0] = 'one of them'
    file.graph.node.append(
        helper.make_node('Concat', ['one of them'] * 2, ['keypoints'], axis=0)
    )
    onnx.save(file, tmp_path / 'student.onnx')
    session = PoseSession(tmp_path / 'student.onnx')
    with pytest.raises(UserError, match=r'keypoints of shape \(2, 3, 2\) for 1 people'):
        session(np.zeros((48, 32, 3), np.uint8))


def test_files_of_earlier_releases_are_read(tmp_path):
    metadata = json.loads(INFO.to_metadata()['fpd_mmpose'])
    metadata.update(decoded=True, image_order='rgb')
    for name in ('blur_kernel', 'offset_radius', 'split_ratio'):
        del metadata[name]
    path = _rewritten(
        write_decoded(tmp_path / 'student.onnx'), fpd_mmpose=json.dumps(metadata)
    )
    expected = replace(INFO, decoded=True, image_order='rgb')
    assert PoseSession(path).info == expected


def test_metadata_of_another_network_are_an_error(tmp_path):
    metadata = replace(INFO, image_order='rgb').to_metadata()
    path = _rewritten(write_decoded(tmp_path / 'swapped.onnx'), **metadata)
    with pytest.raises(UserError, match=r'metadata say heatmaps \(N, 3, 12, 8\)'):
        PoseSession(path)


@pytest.mark.parametrize(
    ('settings', 'why'),
    [
        (dict(batch_size=0), '`batch_size` must be at least 1, got 0'),
        (dict(threads=0), '`threads` must be from 1 to 1024, got 0'),
        (dict(threads=10**6), '`threads` must be from 1 to 1024, got 1000000'),
        (dict(backend='tensorrt'), '`backend` must be onnxruntime or openvino'),
    ],
)
def test_invalid_settings_are_errors(tmp_path, settings, why):
    with pytest.raises(UserError, match=why):
        PoseSession(write_decoded(tmp_path / 'student.onnx'), **settings)
