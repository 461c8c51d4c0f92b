"""A training step on a simulated GPU, with PyTorch's fake tensors.

Fake tensors know their device and do not mix with those of another. They have no
values, so reading one back to the host fails.
"""

import pytest
import torch
from mmengine.runner import Runner
from mmengine.utils import digit_version
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensorMode,
)

from tests.helpers.reduced import reduced_distiller
from tests.helpers.stored_maps import small_config, store_maps

GPU = torch.device('cuda:0')
pytestmark = pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.11'),
    reason='fake tensors on a GPU asked for its driver in torch 2.6',
)


@pytest.fixture(autouse=True)
def unpinned(monkeypatch):
    # Fake tensors lack pinned memory.
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda tensor: tensor)


def move(module: nn.Module) -> None:
    """Gives a module fake tensors on the GPU; `to` would copy values."""
    for one in module.modules():
        for name, value in one._parameters.items():
            if value is not None:
                fake = torch.empty_like(value, device=GPU)
                one._parameters[name] = nn.Parameter(fake, value.requires_grad)
        for name, value in one._buffers.items():
            if value is not None:
                one._buffers[name] = torch.empty_like(value, device=GPU)


def model_and_samples(stored: bool, mpii_root, tmp_path) -> tuple[nn.Module, list]:
    if stored:
        config = small_config(mpii_root, tmp_path)
        config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
        store_maps(config, config.model.teacher.cache)
    else:
        config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    model = MODELS.build(config.model).train()
    model.teacher.prepare(model)
    batch = next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))
    return model, batch['data_samples']


@pytest.mark.parametrize('stored', [False, True], ids=['live', 'stored'])
@pytest.mark.parametrize('order', ['llll', 'lulu'])
def test_a_step_stays_on_the_device(stored, order, mpii_root, tmp_path):
    model, samples = model_and_samples(stored, mpii_root, tmp_path)
    with FakeTensorMode(allow_non_fake_inputs=True):
        move(model)
        if not stored:
            move(model.teacher.model)
            move(model.teacher._adapter)
        samples = [sample.to(GPU) for sample in samples]
        for sample, kind in zip(samples, order, strict=True):
            if kind == 'u':
                del sample.gt_fields
        model.distill_loss.alpha = 1.0 if 'u' in order else 0.5
        losses = model.loss(torch.empty(4, 3, 64, 64, device=GPU), samples)
    assert ('kd_unlabeled' in losses) == ('u' in order)
    assert all(value.device == GPU for value in losses.values())


def test_the_simulation_detects_both_faults(mpii_root, tmp_path):
    model, samples = model_and_samples(False, mpii_root, tmp_path)
    assert isinstance(samples[0], PoseDataSample)
    with FakeTensorMode(allow_non_fake_inputs=True):
        move(model)  # and not the teacher
        images = torch.empty(4, 3, 64, 64, device=GPU)
        model.teacher._adapter.scale = model.teacher._adapter.scale.to(GPU)
        with pytest.raises(DataDependentOutputException):
            images.sum().item()
        # As torch 2.11 says it, and 2.15.
        message = (
            'found two different devices cuda:0, cpu|'
            'weight is on cpu, different from other tensors on cuda:0'
        )
        with pytest.raises(Exception, match=message):
            model.teacher.model(images, None)
