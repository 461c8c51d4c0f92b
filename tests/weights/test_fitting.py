"""`load_model` loads a checkpoint that fits, and rejects others."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import nn

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.weights import to_reference
from fpd_mmpose.weights.initialization import load_model
from tests.helpers.reduced import reduced_config, reduced_distiller


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return reduced_config('hourglass/hg4_128_mpii.py', tmp_path, tmp_path)


def saved(config: Config, path: Path, **more: object) -> nn.Module:
    torch.manual_seed(3)
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict(), **more), path)
    return model


def test_weights_are_loaded_and_the_config_stays(
    config: Config, tmp_path: Path
) -> None:
    before = config.pretty_text
    trained = saved(config, tmp_path / 'good.pth')
    model = load_model(config, str(tmp_path / 'good.pth'))
    assert not model.training
    assert config.pretty_text == before
    for name, value in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)


def test_a_file_of_the_reference_is_loaded(config: Config, tmp_path: Path) -> None:
    trained = saved(config, tmp_path / 'ours.pth')
    path = tmp_path / 'model_best.pth.tar'
    names = to_reference(trained.state_dict())
    torch.save({f'module.{name}': value for name, value in names.items()}, path)
    model = load_model(config, str(path))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(image, None)[-1], trained.eval()(image, None)[-1])


def test_a_distillation_config_needs_no_teacher(
    mpii_root: Path, tmp_path: Path
) -> None:
    config = reduced_distiller(mpii_root, tmp_path)
    saved(config, tmp_path / 'student.pth')
    config.model.teacher.checkpoint = 'nowhere.pth'
    model = load_model(config, str(tmp_path / 'student.pth'))
    assert model.dataset_meta['num_keypoints'] == 16


def test_the_joints_stored_in_the_file_win(config: Config, tmp_path: Path) -> None:
    meta = {**FPDMpiiDataset('', lazy_init=True).metainfo, 'dataset_name': 'own'}
    saved(config, tmp_path / 'own.pth', meta=dict(dataset_meta=meta))
    model = load_model(config, str(tmp_path / 'own.pth'))
    assert model.dataset_meta['dataset_name'] == 'own'


def test_other_networks_are_errors(config: Config, tmp_path: Path) -> None:
    path = tmp_path / 'other.pth'
    for change, expected in (
        (dict(num_features=24), r'have another shape \(first backbone\.\S+: \(6,'),
        (dict(num_stacks=1), r'are missing \(first backbone\.stacks\.0\.merge_'),
        (dict(num_stacks=3), r'are unknown \(first backbone\.stacks\.'),
    ):
        other = config.copy()
        other.model = dict(config.model, backbone=dict(config.model.backbone, **change))
        saved(other, path)
        with pytest.raises(ValueError, match=expected) as refusal:
            load_model(config, str(path))
        message = str(refusal.value)
        assert message.startswith(f'"{path}" does not fit the network of config "')
        assert '\n' not in message


def test_files_that_cannot_be_read_are_errors(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='"gone.pth" does not exist'):
        load_model(config, 'gone.pth')
    (tmp_path / 'cut.pth').write_bytes(b'PK\x03\x04')
    with pytest.raises(ValueError, match='not a readable PyTorch file'):
        load_model(config, str(tmp_path / 'cut.pth'))
    saved(config, tmp_path / 'good.pth')
    with pytest.raises(ValueError, match='^device "cuda:99": '):
        load_model(config, str(tmp_path / 'good.pth'), 'cuda:99')
