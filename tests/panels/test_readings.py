"""What labels, teacher, and student say is read as heatmaps, whatever the head."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample

from fpd_mmpose.panels.readings import read_network, read_targets, read_teacher
from tests.helpers.heads import JOINTS, SIZE, heatmaps, simcc

KEYPOINTS = np.random.RandomState(0).uniform(12, 52, (1, JOINTS, 2)).astype(np.float32)


def standard_simcc() -> dict:
    network = simcc()
    network['head']['decoder'].update(
        smoothing_type='standard', sigma=(1.0, 1.0), normalize=False
    )
    network['head']['loss'].update(label_softmax=False)
    return network


NETWORKS = {
    'msra': heatmaps(sigma=2),
    'udp': heatmaps('UDPHeatmap', sigma=2),
    'megvii': heatmaps('MegviiHeatmap', kernel_size=5),
    'simcc': simcc(),
    'simcc without smoothing': standard_simcc(),
}


def labeled(codec: dict) -> PoseDataSample:
    encoded = KEYPOINT_CODECS.build(codec).encode(KEYPOINTS, np.ones((1, JOINTS)))
    sample = PoseDataSample()
    if 'heatmaps' in encoded:
        sample.gt_fields = PixelData(heatmaps=torch.from_numpy(encoded['heatmaps']))
    else:
        sample.gt_instance_labels = InstanceData(
            **{
                name: torch.from_numpy(np.asarray(value))
                for name, value in encoded.items()
                if name.startswith('keypoint_')
            }
        )
    return sample


@pytest.mark.parametrize('kind', NETWORKS)
def test_a_target_peaks_at_its_joint_and_a_missing_one_is_unknown(kind):
    network = MODELS.build(NETWORKS[kind])
    inputs = torch.zeros(1, 3, *SIZE)
    form, (student,) = read_network(network, inputs, 'student')
    samples = [labeled(NETWORKS[kind]['head']['decoder']), PoseDataSample()]
    target = read_targets(network, form, samples)
    assert target.known[0].all() and not target.known[1].any()
    assert np.abs(target.keypoints[0] - KEYPOINTS[0]).max() < 2.1
    assert target.maps[0].max((1, 2)) == pytest.approx(np.ones(JOINTS), abs=0.3)
    # The maximum of a map is drawn where its keypoint is.
    rows, columns = np.divmod(
        target.maps[0].reshape(JOINTS, -1).argmax(1), target.maps.shape[3]
    )
    x, y = target.axes
    drawn = np.stack([x.first + x.stride * columns, y.first + y.stride * rows], 1)
    assert np.abs(drawn - KEYPOINTS[0]).max() < 4
    assert student.maps.shape == target.maps[:1].shape


@pytest.mark.parametrize('kind', ['msra', 'simcc'])
def test_a_teacher_is_decoded_as_the_student_is(kind, tmp_path):
    network = MODELS.build(NETWORKS[kind])
    torch.save(network.state_dict(), tmp_path / 'teacher.pth')
    teacher = dict(config=NETWORKS[kind], checkpoint=str(tmp_path / 'teacher.pth'))
    student = MODELS.build(NETWORKS[kind] | dict(type='FPDDistiller', teacher=teacher))
    student.load_state_dict(network.state_dict())
    student.teacher.prepare(student)
    inputs = torch.randn(2, 3, *SIZE)
    form, (mine,) = read_network(student, inputs, 'student')
    theirs = read_teacher(student.teacher, student, form, inputs, [])
    assert theirs.title == 'teacher' and theirs.known.all()
    assert theirs.maps == pytest.approx(mine.maps, abs=1e-4)
    assert theirs.keypoints == pytest.approx(mine.keypoints, abs=1e-4)


def test_each_stage_is_read_in_order():
    settings = dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor'),
        backbone=dict(type='StackedHourglass', num_stacks=2, num_features=8),
        head=dict(
            type='CPMHead',
            in_channels=16,
            out_channels=16,
            num_stages=2,
            deconv_out_channels=None,
            final_layer=None,
            loss=dict(type='KeypointMSELoss'),
            decoder=dict(type='FPDHeatmap', input_size=SIZE, heatmap_size=(16, 16)),
        ),
    )
    network = MODELS.build(settings)
    inputs = torch.randn(2, 3, *SIZE)
    _, readings = read_network(network, inputs, 'student')
    assert [one.title for one in readings] == ['student, stage 1', 'student, stage 2']
    network.eval()
    with torch.no_grad():
        expected = network(inputs, None)
    for reading, output in zip(readings, expected, strict=True):
        assert np.array_equal(reading.maps, output.numpy())
