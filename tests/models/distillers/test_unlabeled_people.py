"""Unlabeled people add a term of their own and change nothing for labeled ones."""

import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from tests.helpers.reduced import reduced_distiller
from tests.helpers.rounding import NETWORK, assert_same

INPUTS = torch.Generator().manual_seed(1)
IMAGES = torch.randn(5, 3, 64, 64, generator=INPUTS)


def labeled() -> PoseDataSample:
    return PoseDataSample(
        gt_instances=InstanceData(keypoints=torch.rand(1, 16, 2)),
        gt_fields=PixelData(heatmaps=torch.rand(16, 16, 16)),
        gt_instance_labels=InstanceData(
            keypoint_weights=(torch.rand(1, 16) < 0.7).float()
        ),
    )


def unlabeled() -> PoseDataSample:
    return PoseDataSample(gt_instances=InstanceData(bboxes=torch.zeros(1, 4)))


@pytest.fixture
def build(mpii_root, tmp_path):
    def build(**settings):
        config = reduced_distiller(mpii_root, tmp_path, stacks=2, features=16)
        config.model.distill_loss.update(settings)
        torch.manual_seed(3)
        model = MODELS.build(config.model)
        # Batch statistics would make every sample depend on the others.
        model.eval()
        return model

    return build


def total(losses: dict) -> torch.Tensor:
    return sum(value for name, value in losses.items() if 'loss' in name)


def mse(model, rows, weights=None) -> float:
    """Computes the distillation term of some images by hand."""
    with torch.no_grad():
        target = model.teacher.teach(IMAGES[rows]).values
        stages = model.backbone(IMAGES[rows])
    squares = [(stage - target) ** 2 for stage in stages]
    if weights is not None:
        squares = [weights[..., None, None] * square for square in squares]
    return sum(0.5 * square.mean() for square in squares).item()


@pytest.mark.parametrize('order', ['lluuu', 'ululu', 'uuull'])
def test_the_terms_of_labeled_people_do_not_depend_on_the_others(build, order):
    model = build()
    samples = [labeled() if kind == 'l' else unlabeled() for kind in order]
    rows = [index for index, kind in enumerate(order) if kind == 'l']
    rest = [index for index, kind in enumerate(order) if kind == 'u']
    mixed = model.loss(IMAGES, samples)
    alone = model.loss(IMAGES[rows], [samples[row] for row in rows])
    for name in ('pose', 'kd', 'loss_kpt'):
        assert_same(mixed[name], alone[name])
    added = total(mixed) - total(alone)
    assert added.item() == pytest.approx(0.5 * mse(model, rest), rel=NETWORK)
    assert mixed['kd_unlabeled'].item() == pytest.approx(mse(model, rest), rel=NETWORK)
    assert 'kd_unlabeled' not in alone


def test_gradients_add_up_too(build):
    model = build()
    samples = [labeled(), labeled(), unlabeled()]

    def gradient(rows: list[int]) -> torch.Tensor:
        model.zero_grad()
        total(model.loss(IMAGES[rows], [samples[row] for row in rows])).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    assert_same(gradient([0, 1, 2]), gradient([0, 1]) + gradient([2]))


def test_their_number_does_not_change_their_weight(build):
    model = build()
    one = model.loss(IMAGES[[0, 1]], [labeled(), unlabeled()])
    two = model.loss(IMAGES[[0, 1, 1]], [labeled(), unlabeled(), unlabeled()])
    assert_same(one['kd_unlabeled'], two['kd_unlabeled'])


@pytest.mark.parametrize('weight', [0, 0.25, 3])
def test_their_weight_can_be_set(build, weight):
    model = build(unlabeled_weight=weight, alpha=0.3)
    samples = [labeled(), unlabeled()]
    losses = model.loss(IMAGES[:2], samples)
    alone = model.loss(IMAGES[:1], samples[:1])
    # Their difference would be rounding alone where the weight is 0.
    expected = total(alone).item() + 0.3 * weight * mse(model, [1])
    assert total(losses).item() == pytest.approx(expected, rel=NETWORK)


def test_a_batch_may_have_unlabeled_people_only(build):
    losses = build().loss(IMAGES[:2], [unlabeled(), unlabeled()])
    assert set(losses) == {'loss_kd', 'kd_unlabeled'}
    assert losses['loss_kd'].requires_grad


class TestJointsWithoutAnnotation:
    def losses(self, model) -> tuple[float, torch.Tensor]:
        torch.manual_seed(0)
        samples = [labeled(), labeled()]
        weights = torch.cat([s.gt_instance_labels.keypoint_weights for s in samples])
        assert 0 < weights.mean() < 1
        return model.loss(IMAGES[:2], samples)['kd'].item(), weights

    def test_have_no_term_as_in_the_reference(self, build):
        model = build()
        found, weights = self.losses(model)
        assert found == pytest.approx(mse(model, [0, 1], weights), rel=NETWORK)

    def test_can_be_taught_as_the_paper_argues(self, build):
        model = build(unannotated_joints=True)
        found, _ = self.losses(model)
        assert found == pytest.approx(mse(model, [0, 1]), rel=NETWORK)

    def test_the_ground_truth_term_stays_as_it_is(self, build):
        torch.manual_seed(0)
        samples = [labeled(), labeled()]
        plain = build().loss(IMAGES[:2], samples)['pose']
        taught = build(unannotated_joints=True).loss(IMAGES[:2], samples)['pose']
        assert torch.equal(plain, taught)


class TestConfidence:
    def test_weights_joints_by_the_teachers_peak(self, build):
        model = build(confidence_weight=True)
        with torch.no_grad():
            model.teacher.prepare(model)
            peak = model.teacher.teach(IMAGES[:2]).values.amax((2, 3)).clamp(0, 1)
        found = model.loss(IMAGES[:2], [unlabeled()] * 2)['kd_unlabeled'].item()
        assert found == pytest.approx(mse(model, [0, 1], peak), rel=NETWORK)

    def test_a_threshold_leaves_unsure_joints_out(self, build):
        model = build()
        model.teacher.prepare(model)
        peak = model.teacher.teach(IMAGES[:2]).values.amax((2, 3))
        threshold = peak.clamp(0, 1).median().item()
        kept = (peak >= threshold).float()
        assert 0 < kept.mean() < 1
        model = build(confidence_threshold=threshold)
        found = model.loss(IMAGES[:2], [unlabeled()] * 2)['kd_unlabeled'].item()
        assert found == pytest.approx(mse(model, [0, 1], kept), rel=NETWORK)

    @pytest.mark.parametrize(
        ('settings', 'message'),
        [
            (dict(confidence_threshold=1.5), 'confidence_threshold must be between'),
            (dict(unlabeled_weight=-1), 'unlabeled_weight must not be negative'),
            (dict(unlabeled_weight=float('nan')), 'unlabeled_weight must not be'),
        ],
    )
    def test_settings_out_of_range_are_an_error(self, settings, message):
        with pytest.raises(ValueError, match=message):
            MODELS.build(dict(type='HeatmapDistillLoss', **settings))
