"""Networks of every kind of head learn and teach, or an error says why not."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData, PixelData
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import MultilevelPixelData, PoseDataSample

from tests.helpers.heads import (
    HEATMAPS,
    JOINTS,
    MSE,
    estimator,
    heatmap_head,
    heatmaps,
    simcc,
)
from tests.helpers.refusals import refused
from tests.helpers.rounding import assert_same


def visible() -> dict:
    pose = heatmap_head(dict(HEATMAPS, type='MSRAHeatmap', sigma=2))
    return estimator(dict(type='VisPredictHead', pose_cfg=pose))


def old_simcc() -> dict:
    network = simcc(head='SimCCHead')
    del network['head']['gau_cfg']
    network['head'].update(
        deconv_out_channels=None,
        loss=dict(type='KLDiscretLoss', use_target_weight=True),
    )
    network['head']['decoder'].update(normalize=True)
    return network


def mspn() -> dict:
    codecs = [dict(HEATMAPS, type='MegviiHeatmap', kernel_size=k) for k in (9, 7)]
    network = estimator(
        dict(
            type='MSPNHead',
            out_shape=(16, 16),
            unit_channels=8,
            out_channels=JOINTS,
            num_stages=1,
            num_units=2,
            norm_cfg=dict(type='BN'),
            level_indices=[0, 1],
            loss=[MSE] * 2,
            decoder=codecs[-1],
        )
    )
    network['backbone'] = dict(
        type='MSPN',
        unit_channels=8,
        num_stages=1,
        num_units=2,
        num_blocks=[1, 1],
        norm_cfg=dict(type='BN'),
    )
    network['levels'] = codecs
    return network


KINDS = dict(
    msra=heatmaps(sigma=2),
    dark=heatmaps(sigma=2, unbiased=True),
    udp=heatmaps('UDPHeatmap', sigma=2),
    megvii=heatmaps('MegviiHeatmap', kernel_size=7),
    fpd=heatmaps('FPDHeatmap'),
    visible=visible(),
    rtm=simcc(),
    simcc=old_simcc(),
    mspn=mspn(),
)
kinds = pytest.mark.parametrize('kind', list(KINDS))


def network_of(kind: str) -> dict:
    return {k: v for k, v in copy.deepcopy(KINDS[kind]).items() if k != 'levels'}


def teacher_of(network: dict, folder: Path) -> dict:
    path = folder / 'teacher.pth'
    torch.manual_seed(1)
    torch.save(MODELS.build(copy.deepcopy(network)).state_dict(), path)
    return dict(config=network, checkpoint=str(path))


def student_of(network: dict, teacher: dict, **options):
    return MODELS.build(
        dict(copy.deepcopy(network), type='FPDDistiller', teacher=teacher, **options)
    )


def people(kind: str, count: int = 2) -> list[PoseDataSample]:
    """Makes people with the targets of a kind's codecs."""
    rng = np.random.default_rng(0)
    head = KINDS[kind]['head']
    own = head.get('pose_cfg', head)['decoder']
    codecs = [KEYPOINT_CODECS.build(c) for c in KINDS[kind].get('levels', [own])]
    samples = []
    for _ in range(count):
        joints = rng.uniform(8, 56, (1, JOINTS, 2)).astype(np.float32)
        encoded = [codec.encode(joints, np.ones((1, JOINTS))) for codec in codecs]
        sample = PoseDataSample(gt_instances=InstanceData(keypoints=joints))
        maps = [torch.from_numpy(e['heatmaps']) for e in encoded if 'heatmaps' in e]
        weights = [torch.from_numpy(e['keypoint_weights']).float() for e in encoded]
        labels = dict(keypoint_weights=weights[0])
        if len(codecs) > 1:
            labels['keypoint_weights'] = torch.stack(weights)
            sample.gt_fields = MultilevelPixelData(heatmaps=maps)
        elif maps:
            sample.gt_fields = PixelData(heatmaps=maps[0])
        else:
            for axis in 'xy':
                name = f'keypoint_{axis}_labels'
                labels[name] = torch.from_numpy(encoded[0][name])
        if len(codecs) > 1:
            # One person with weights of several levels is no InstanceData of MMEngine.
            sample.gt_instance_labels = InstanceData()
            sample.gt_instance_labels.set_field(
                labels['keypoint_weights'], 'keypoint_weights'
            )
        else:
            sample.gt_instance_labels = InstanceData(**labels)
        samples.append(sample)
    return samples


@kinds
@pytest.mark.parametrize('teaching', ['msra', 'udp', 'rtm'])
def test_it_learns_from_heatmaps_and_from_simcc(kind, teaching, tmp_path):
    teacher = teacher_of(network_of(teaching), tmp_path)
    student = student_of(network_of(kind), teacher)
    student.init_weights()
    images = torch.randn(2, 3, 64, 64)
    losses = student.loss(images, people(kind))
    total, _ = student.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and losses['kd'] > 0
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.grad is None for p in student.teacher.model.parameters())
    plain = MODELS.build(network_of(kind))
    assert student.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(student.state_dict())
    stock = plain.loss(images, people(kind))
    assert_same(losses['pose'], sum(v for k, v in stock.items() if 'loss' in k))


@pytest.mark.parametrize('kind', sorted(set(KINDS) - {'mspn'}))  # it has two stages
def test_it_teaches_what_it_says_itself(kind, tmp_path):
    network = network_of(kind)
    student = student_of(
        network, teacher_of(network, tmp_path), distill_loss=dict(alpha=1)
    )
    student.init_weights()
    student.load_state_dict(student.teacher.model.state_dict())
    student.eval()  # so that batch norms agree
    losses = student.loss(torch.randn(2, 3, 64, 64), [PoseDataSample()] * 2)
    assert abs(losses['loss_kd']) < 1e-5


def test_a_simcc_teacher_sees_its_own_size(tmp_path):
    teacher = teacher_of(simcc((96, 96)), tmp_path)
    student = student_of(simcc(), teacher)
    student.init_weights()
    x, y = student.teacher.teach(torch.randn(1, 3, 64, 64)).values
    assert x.shape == y.shape == (1, JOINTS, 128)
    torch.testing.assert_close(x.sum(2), torch.ones(1, JOINTS))
    assert student.teacher.network_to_validate(student) is None


def test_alpha_falls_to_zero_over_the_epochs(tmp_path):
    student = student_of(
        network_of('rtm'),
        teacher_of(network_of('rtm'), tmp_path),
        distill_loss=dict(alpha=0.8, alpha_schedule='linear'),
    )
    hub = MessageHub.get_instance('falling_alpha')
    hub.update_info('max_epochs', 4)
    for epoch, alpha in ((0, 0.8), (1, 0.6), (3, 0.2)):
        hub.update_info('epoch', epoch)
        losses = student.loss(torch.randn(2, 3, 64, 64), people('rtm'))
        assert float(losses['alpha']) == pytest.approx(alpha)
        assert_same(losses['loss_kd'], alpha * losses['kd'])
        assert_same(losses['loss_kpt'], (1 - alpha) * losses['pose'])


@pytest.mark.parametrize('kind', ['rtm', 'msra'])
def test_alpha_is_off_at_the_end_and_the_teacher_then_rests(
    kind, tmp_path, monkeypatch
):
    student = student_of(
        network_of(kind),
        teacher_of(network_of(kind), tmp_path),
        distill_loss=dict(alpha=1, alpha_schedule='off_at_end'),
    )
    hub = MessageHub.get_instance(f'alpha_off_{kind}')
    hub.update_info('max_iters', 30)
    start, runs = student.teacher.start, []
    monkeypatch.setattr(
        student.teacher, 'start', lambda *batch: runs.append(1) or start(*batch)
    )
    images = torch.randn(2, 3, 64, 64)
    for step, alpha in ((0, 1), (26, 1), (27, 0), (29, 0)):
        hub.update_info('iter', step)
        losses = student.loss(images, people(kind))
        assert losses['alpha'] == alpha == len(runs)
        assert_same(losses['loss_kd'], alpha * losses.get('kd', 0 * losses['loss_kd']))
        head = sum(v for k, v in losses.items() if 'loss' in k and k != 'loss_kd')
        assert_same(head, (1 - alpha) * losses['pose'])
        runs.clear()
    # Only what the teacher says has a gradient if no one has labels.
    losses = student.loss(images, [PoseDataSample()] * 2)
    assert losses['loss_kd'] == 0 and losses['loss_kd'].requires_grad and runs


@pytest.mark.parametrize('schedule', ['linear', 'off_at_end'])
def test_alpha_1_needs_labels_if_it_changes(schedule, tmp_path):
    student = student_of(
        network_of('msra'),
        teacher_of(network_of('msra'), tmp_path),
        distill_loss=dict(alpha=1, alpha_schedule=schedule),
    )
    sample = people('msra', 1)[0]
    del sample.gt_fields
    message = refused(student.loss, torch.randn(1, 3, 64, 64), [sample])
    assert (
        f"not the targets of the student's head, and alpha is 1.0, {schedule}"
        in message
    )


@KEYPOINT_CODECS.register_module()
class OwnHeatmap(MSRAHeatmap):
    """A codec that MMPose does not have."""

    def encode(self, keypoints, keypoints_visible=None):
        encoded = super().encode(keypoints, keypoints_visible)
        return dict(encoded, heatmaps=encoded['heatmaps'] * 10)


class TestRefused:
    @pytest.mark.parametrize('role', ['teacher', 'student'])
    @pytest.mark.parametrize(
        'network, reason',
        [
            (
                estimator(
                    dict(
                        heatmap_head(
                            dict(HEATMAPS, type='UDPHeatmap', heatmap_type='combined'),
                            3 * JOINTS,
                        ),
                        loss=dict(type='CombinedTargetMSELoss', use_target_weight=True),
                    )
                ),
                'combined targets',
            ),
            (
                estimator(
                    dict(
                        type='DSNTHead',
                        in_channels=8,
                        in_featuremap_size=(16, 16),
                        num_joints=JOINTS,
                        deconv_out_channels=None,
                        loss=dict(
                            type='MultipleLossWrapper',
                            losses=[
                                dict(type='SmoothL1Loss', use_target_weight=True),
                                dict(type='JSDiscretLoss', use_target_weight=True),
                            ],
                        ),
                        decoder=dict(HEATMAPS, type='IntegralRegressionLabel', sigma=2),
                    )
                ),
                'the codec IntegralRegressionLabel',
            ),
            (heatmaps('OwnHeatmap', sigma=2), 'describe its heatmaps by `output=dict('),
        ],
    )
    def test_what_cannot_be_distilled(self, role, network, reason, tmp_path):
        other = network_of('msra')
        teaching, learning = (network, other) if role == 'teacher' else (other, network)
        message = refused(
            student_of(learning, teacher_of(teaching, tmp_path)).init_weights
        )
        owner = 'teacher given as a dict' if role == 'teacher' else 'the student'
        assert owner in message and reason in message

    def test_a_loss_of_the_other_kind(self, tmp_path):
        teacher = teacher_of(network_of('msra'), tmp_path)
        for kind, loss in (('msra', 'SimCCDistillLoss'), ('rtm', 'HeatmapDistillLoss')):
            message = refused(
                student_of, network_of(kind), teacher, distill_loss=dict(type=loss)
            )
            assert f'distill_loss.type is {loss}' in message

    @pytest.mark.parametrize(
        'given',
        [
            dict(grid='stride'),
            dict(grid='pixels', scale=1),
            dict(grid='stride', scale=0),
            dict(grid='stride', scale=1, sigma='2'),
            [],
        ],
    )
    def test_a_wrong_description(self, given, tmp_path):
        teacher = teacher_of(heatmaps('OwnHeatmap', sigma=2), tmp_path)
        student = student_of(network_of('msra'), dict(teacher, output=given))
        assert 'must have a grid (stride, align_corners, center)' in refused(
            student.init_weights
        )


def test_a_codec_that_is_described_teaches(tmp_path):
    network = heatmaps('OwnHeatmap', sigma=2)
    teacher = teacher_of(network, tmp_path)
    known = student_of(
        network_of('msra'), dict(teacher, output=dict(grid='stride', scale=10, sigma=2))
    )
    known.init_weights()
    images = torch.randn(1, 3, 64, 64)
    own = known.teacher.model(images, None)
    assert_same(known.teacher.teach(images).values, own / 10)
