"""Files in the folder of weights spare a download."""

import hashlib
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import CheckpointLoader, checkpoint
from mmpose.registry import MODELS

from fpd_mmpose.checks import check
from fpd_mmpose.config import load_config
from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights import local_copies, read_state_dict
from fpd_mmpose.weights.mmengine_loader import install

WEIGHTS = StackedHourglass(1, 8).state_dict()


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    monkeypatch.chdir(tmp_path)
    Path('checkpoints').mkdir()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are logged."""
    lines: list[str] = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(
        logger, 'callHandlers', lambda record: lines.append(record.getMessage())
    )
    return lines


def save(name: str, content: object = WEIGHTS) -> Path:
    """Saves weights with their hash in the file's name."""
    torch.save(content, 'checkpoints/new')
    digest = hashlib.sha256(Path('checkpoints/new').read_bytes()).hexdigest()
    return Path('checkpoints/new').rename(f'checkpoints/{name.format(digest[:8])}')


@pytest.mark.parametrize('name', ['net-{}.pth', 'net-{}_20200708.pth'])
def test_a_file_with_the_name_of_a_url_is_used(name, server, log):
    path = save(name)
    address = f'{server.address}/{path.name}'
    found = CheckpointLoader.load_checkpoint(address, map_location='cpu')
    assert set(found) == set(WEIGHTS)
    assert f'"{path}" is read in place of {address}' in log
    assert set(read_state_dict(address)) == set(WEIGHTS)  # as a teacher
    assert not server.requests


def test_a_backbone_starts_from_it(server):
    small = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4)
    weights = MODELS.build(small).state_dict()
    address = f'{server.address}/{save("net-{}.pth", weights).name}'
    model = MODELS.build(
        dict(small, init_cfg=dict(type='Pretrained', checkpoint=address))
    )
    model.init_weights()
    assert all(torch.equal(model.state_dict()[key], weights[key]) for key in weights)
    assert not server.requests


def test_a_file_with_another_hash_is_left_out_with_a_warning(tmp_path, server, log):
    torch.save(WEIGHTS, tmp_path / 'served/net-01234567.pth')
    Path('checkpoints/net-01234567.pth').write_bytes(b'cut off')
    address = f'{server.address}/net-01234567.pth'
    assert set(CheckpointLoader.load_checkpoint(address)) == set(WEIGHTS)
    assert server.requests == ['/net-01234567.pth']
    (line,) = [line for line in log if 'is not used' in line]
    assert line == (
        '"checkpoints/net-01234567.pth" is not used: its SHA-256 is not the one in its '
        'name, so it may be truncated'
    )


def test_a_name_without_a_hash_is_downloaded(tmp_path, server, log):
    torch.save(WEIGHTS, tmp_path / 'served/net.pth')
    torch.save({'another': torch.zeros(1)}, 'checkpoints/net.pth')
    found = CheckpointLoader.load_checkpoint(f'{server.address}/net.pth')
    assert set(found) == set(WEIGHTS) and server.requests == ['/net.pth']


@pytest.fixture
def resnet(server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the reference, which torchvision has saved again."""
    earlier = save('resnet50-{}.pth')
    monkeypatch.setitem(local_copies.EARLIER, 'resnet50-00000000.pth', earlier.name)
    address = f'{server.address}/resnet50-00000000.pth'
    for module in (checkpoint, local_copies):
        monkeypatch.setattr(
            module, 'get_torchvision_models', lambda: dict(resnet50=address)
        )
    return earlier


def test_the_file_of_the_reference_stands_for_torchvisions(resnet, server, log):
    found = CheckpointLoader.load_checkpoint('torchvision://resnet50')
    assert set(found) == set(WEIGHTS) and not server.requests
    assert f'"{resnet}" is read in place of' in ' '.join(log)


def test_the_file_that_torchvision_names_comes_first(resnet, monkeypatch):
    (newer := Path('checkpoints/resnet50-00000000.pth')).touch()
    monkeypatch.setattr(local_copies, 'has_named_hash', lambda path: True)
    assert local_copies.local_copy('torchvision://resnet50') == newer


def test_the_earlier_files_are_those_of_the_reference():
    for name, url in local_copies.get_torchvision_models().items():
        if name in ('resnet50', 'resnet101', 'resnet152'):
            assert url.rpartition('/')[2] in local_copies.EARLIER
    assert 'resnet50-19c8e357.pth' in local_copies.EARLIER.values()


def test_the_check_names_the_file(resnet):
    config = load_config('configs/resnet/res50_mpii.py')
    section = check(config).sections['model']
    assert section['model.backbone.init_cfg.checkpoint'] == (
        f'{resnet}  (in place of torchvision://resnet50)'
    )
    resnet.unlink()
    section = check(config).sections['model']
    assert section['model.backbone.init_cfg.checkpoint'] == (
        'torchvision://resnet50  (a URL: not downloaded)'
    )
