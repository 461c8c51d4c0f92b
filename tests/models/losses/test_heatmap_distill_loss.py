"""The distillation term, and its gradient in the sum of both terms."""

import pytest
import torch
from mmpose.registry import MODELS


def build(**arguments):
    return MODELS.build(dict(type='HeatmapDistillLoss', **arguments))


@pytest.fixture()
def maps():
    student = [torch.rand(3, 16, 8, 6, requires_grad=True) for _ in range(4)]
    teacher, truth = torch.rand(2, 3, 16, 8, 6)
    weights = (torch.rand(3, 16) > 0.3).float()
    return student, teacher, truth, weights


def test_it_is_half_the_weighted_mean_square_summed_over_stages(maps):
    student, teacher, _, weights = maps
    by_hand = sum(
        0.5 * (((s - teacher) ** 2) * weights[..., None, None]).mean() for s in student
    )
    torch.testing.assert_close(build()(student, teacher, weights), by_hand)


def test_a_joint_without_weight_has_no_gradient_but_counts_in_the_mean(maps):
    student, teacher, _, _ = maps
    weights = torch.ones(3, 16)
    weights[:, 4] = 0
    build()(student, teacher, weights).backward()
    gradient = student[0].grad
    assert not gradient[:, 4].any() and gradient[:, 5].all()
    torch.testing.assert_close(
        gradient[:, 5], ((student[0] - teacher) / teacher.numel())[:, 5].detach()
    )


def test_without_weights_all_joints_count(maps):
    student, teacher, _, _ = maps
    torch.testing.assert_close(
        build()(student, teacher), build()(student, teacher, torch.ones(3, 16))
    )


@pytest.mark.parametrize('alpha', [0.0, 0.3, 0.5, 1.0])
def test_both_terms_have_the_gradient_of_one_blended_target(maps, alpha):
    student, teacher, truth, weights = maps
    loss = build(alpha=alpha)
    two = (1 - alpha) * loss(student, truth, weights)
    two = two + alpha * loss(student, teacher, weights)
    gradients = torch.autograd.grad(two, student)
    one = loss(student, alpha * teacher + (1 - alpha) * truth, weights)
    torch.testing.assert_close(gradients, torch.autograd.grad(one, student))


def test_alpha_is_a_half_by_default_as_in_the_reference():
    assert build().alpha == 0.5 and build().loss_weight == 0.5


@pytest.mark.parametrize('alpha', [-0.01, 1.01, float('nan'), '0.5', None, True])
def test_alpha_out_of_range_is_an_error(alpha):
    with pytest.raises(ValueError, match='distill_loss.alpha must be'):
        build(alpha=alpha)


def test_an_unknown_schedule_is_an_error():
    with pytest.raises(ValueError, match='constant or linear or off_at_end, got'):
        build(alpha_schedule='cosine')


@pytest.mark.parametrize('weight', [0, -1, float('nan')])
def test_a_weight_that_is_not_positive_is_an_error(weight):
    with pytest.raises(ValueError, match='loss_weight must be positive'):
        build(loss_weight=weight)
