"""Nothing that a checkpoint holds is executed, wherever mmengine reads it from."""

import io
import json
import zipfile
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader, Runner
from mmengine.runner import checkpoint as stock
from mmpose.apis.inferencers import Pose2DInferencer

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights import mmengine_loader as loading
from tests.helpers.hostile import Evil
from tests.helpers.reduced import reduced_config, run


@pytest.fixture
def trained(mpii_root: Path, tmp_path: Path) -> Runner:
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path / 'run')
    return run(config)


def with_text(trained: Runner, path: Path, text: str) -> str:
    """A checkpoint with config text wherever mmengine looks for one."""
    content = torch.load(Path(trained.work_dir) / 'epoch_1.pth', weights_only=True)
    content['meta'].update(config=text, cfg=text)
    content['message_hub']['runtime_info']['cfg'] = text
    torch.save(content, path)
    return str(path)


@pytest.mark.parametrize('by_pointer', [True, False], ids=['pointer', 'file'])
def test_a_resumed_checkpoint_does_not_run_its_config(
    trained, mpii_root, tmp_path, by_pointer
):
    proof = tmp_path / 'it ran'
    text = f'open({str(proof)!r}, "w").close()\n'
    work_dir = tmp_path / 'again'
    work_dir.mkdir()
    file = with_text(trained, work_dir / 'epoch_1.pth', text)
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, work_dir, epochs=2)
    config.resume = True
    if by_pointer:
        (work_dir / 'last_checkpoint').write_text(file)
    else:
        config.load_from = file
    runner = run(config)
    assert runner.epoch == 2 and not proof.exists()
    saved = torch.load(work_dir / 'epoch_2.pth', weights_only=True)
    for cfg in saved['meta']['cfg'], saved['message_hub']['runtime_info']['cfg']:
        assert cfg == runner.cfg.pretty_text
    assert 'config' not in saved['meta']


def test_an_old_checkpoint_with_a_config_is_resumed(trained, mpii_root, tmp_path):
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path, epochs=2)
    config.load_from = with_text(trained, tmp_path / 'old.pth', 'gpu_ids = [0, 1]')
    config.resume = True
    assert run(config).epoch == 2


def test_a_network_needs_its_config(trained, tmp_path):
    proof = tmp_path / 'it ran'
    file = with_text(trained, tmp_path / 'a.pth', f'open({str(proof)!r}, "w")')
    with pytest.raises(
        ValueError, match='"needs a config beside it|needs a config'
    ) as e:
        Pose2DInferencer(None, file, device='cpu')
    assert '\n' not in str(e.value) and str(e.value).startswith(f'"{file}" ')
    assert not proof.exists()


def test_a_checkpoint_cannot_name_a_file_to_read(tmp_path):
    meta = dict(img_path='/etc/passwd', from_file='evil.py', img=1, dataset_name='own')
    content = {'state_dict': {}, 'meta': {'dataset_meta': meta}}
    torch.save(content, tmp_path / 'a.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert found['meta']['dataset_meta'] == {'dataset_name': 'own'}


@pytest.mark.parametrize('key', ['meta', 'message_hub'])
def test_parts_of_another_type_are_named(tmp_path, key):
    torch.save({'state_dict': {}, key: [1]}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=f'is damaged: its "{key}" is a list'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))


# --- Every source ------------------------------------------------------------------


@pytest.fixture
def sources(tmp_path, server, monkeypatch) -> dict[str, Path]:
    """Sources of every kind, and the files behind them."""
    # Users set this to load old files of OpenMMLab: it must not switch the checks off.
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path / 'home'))
    home = tmp_path / 'home'
    home.mkdir()
    names = {'mine': 'local.pth', 'far': f'{server.address}/openmmlab.pth'}
    (home / 'open_mmlab.json').write_text(json.dumps(names))
    for module, kind in (('torchvision', 'torchvision'), ('mmcls', 'mmcls')):
        listed = {'mine': f'{server.address}/{kind}.pth'}
        monkeypatch.setattr(stock, f'get_{module}_models', lambda listed=listed: listed)

    class Backend:
        def get(self, address: str) -> bytes:
            return (tmp_path / 'served' / address.rpartition('/')[2]).read_bytes()

    monkeypatch.setattr(loading, 'get_file_backend', lambda *_, **__: Backend())
    served = tmp_path / 'served'
    return {
        str(tmp_path / 'local.pth'): tmp_path / 'local.pth',
        f'{server.address}/http.pth': served / 'http.pth',
        's3://bucket/ceph.pth': served / 'ceph.pth',
        'cluster:petrel://bucket/petrel.pth': served / 'petrel.pth',
        'torchvision://mine': served / 'torchvision.pth',
        'modelzoo://mine': served / 'torchvision.pth',
        'open-mmlab://mine': home / 'local.pth',
        'openmmlab://far': served / 'openmmlab.pth',
        'mmcls://mine': served / 'mmcls.pth',
    }


def test_every_source_is_read(sources):
    weights = {'backbone.conv.weight': torch.ones(2)}
    for address, file in sources.items():
        torch.save({'state_dict': weights, 'meta': {'config': 'text'}}, file)
        found = CheckpointLoader.load_checkpoint(address, 'cpu')
        (value,) = found['state_dict'].values()
        assert torch.equal(value, torch.ones(2)), address
        assert 'config' not in found.get('meta', {}), address


def test_no_source_executes_its_content(sources, tmp_path):
    buffer = io.BytesIO()
    torch.save({'state_dict': {}, 'x': Evil(tmp_path / 'it ran')}, buffer)
    for address, file in sources.items():
        file.write_bytes(buffer.getvalue())
        with pytest.raises(ValueError, match='is refused: it asks to run') as info:
            CheckpointLoader.load_checkpoint(address, 'cpu')
        assert str(info.value).startswith(f'"{address}" ')
        assert not (tmp_path / 'it ran').exists()
    assert {scheme.__name__ for scheme in CheckpointLoader._schemes.values()} == {
        f'load_from_{name}' for name in
        ('local', 'http', 'ceph', 'torchvision', 'openmmlab', 'mmcls', 'pavi')
    }  # fmt: skip


@pytest.mark.parametrize('address', ['torchvision://x', 'mmcls://x', 'pavi://x'])
def test_an_unknown_name_is_an_error(address):
    with pytest.raises(UserError, match=f'"{address}"'):
        CheckpointLoader.load_checkpoint(address)


def test_a_file_that_unpacks_to_more_than_its_size_is_refused(tmp_path):
    path = tmp_path / 'packed.pth'
    buffer = io.BytesIO()
    torch.save(dict(a=torch.zeros(1 << 22)), buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, 'w') as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match=r'packed\.pth" is refused: it unpacks to 16,'):
        CheckpointLoader.load_checkpoint(str(path))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(dict(a=torch.full((300,), 0.1)), path)
    return path


def test_a_changed_weight_is_found_by_the_checksum(weights):
    content = weights.read_bytes()
    weights.write_bytes(content.replace(b'\xcd\xcc\xcc\x3d', b'\xcd\xcc\xcc\x3c', 1))
    assert not torch.load(weights)['a'].eq(0.1).all()  # torch reads no checksums
    with pytest.raises(
        UserError, match=r'weights\.pth" is refused: it is damaged: the'
    ):
        CheckpointLoader.load_checkpoint(str(weights))


def test_nothing_follows_an_archive(weights):
    # Python then sees no archive to check, and torch still reads it.
    weights.write_bytes(weights.read_bytes() + b'PK\5\6')
    assert torch.load(weights)
    with pytest.raises(UserError, match='its archive does not end with the file'):
        CheckpointLoader.load_checkpoint(str(weights))


def test_a_file_that_was_saved_without_checksums_is_read(weights):
    content = weights.read_bytes()
    with zipfile.ZipFile(weights) as archive:
        for entry in archive.infolist():
            content = content.replace(entry.CRC.to_bytes(4, 'little'), bytes(4))
    weights.write_bytes(content)
    assert CheckpointLoader.load_checkpoint(str(weights))['a'].eq(0.1).all()


@pytest.mark.parametrize('size', [10**10, 2**62])
def test_an_old_file_gets_no_room_for_more_than_it_holds(size, tmp_path):
    path = tmp_path / 'old.pth'
    torch.save(dict(a=torch.zeros(200)), path, _use_new_zipfile_serialization=False)
    claim = b'\x8a\x08' + size.to_bytes(8, 'little')
    # The only number of one byte that is 200: the size of the storage.
    path.write_bytes(path.read_bytes().replace(b'K\xc8', claim))
    with pytest.raises(UserError, match='its tensors are larger than the file'):
        CheckpointLoader.load_checkpoint(str(path))
