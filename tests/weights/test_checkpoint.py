"""Untrusted weight files are read safely."""

import pickle
from collections import OrderedDict
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights import read_state_dict
from fpd_mmpose.weights.checkpoint import load_file
from fpd_mmpose.weights.hourglass import from_reference
from tests.helpers import ROOT
from tests.helpers.hostile import Evil
from tests.helpers.refusals import refused

WEIGHTS = {
    'backbone.conv.weight': torch.arange(6.0).reshape(2, 3),
    'backbone.norm.num_batches_tracked': torch.tensor(3),
    'head.bias': torch.tensor([0.5, -1.0]),
}
PREFIXED = {f'module.{name}': value for name, value in WEIGHTS.items()}


def assert_same_weights(found: dict, expected: dict) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].device.type == 'cpu'
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
@pytest.mark.parametrize(
    'content',
    [
        WEIGHTS,
        OrderedDict(WEIGHTS),
        PREFIXED,
        {'state_dict': WEIGHTS},
        {
            'epoch': 3,
            'model': 'pose_hourglass',
            'state_dict': PREFIXED,
            'best_state_dict': {'other': torch.zeros(1)},
            'perf': np.float64(88.0),
            'optimizer': {'state': {}, 'param_groups': [{'lr': 1e-4}]},
        },
        {
            'meta': {'epoch': 3},
            'state_dict': WEIGHTS,
            'message_hub': {'log_scalars': {'loss': HistoryBuffer([1.0], [1])}},
        },
    ],
    ids=['bare', 'ordered', 'prefixed', 'nested', 'reference', 'mmengine'],
)
def test_every_layout_gives_the_same_weights(tmp_path, content, zipped):
    path = tmp_path / 'weights.pth'
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert_same_weights(read_state_dict(str(path)), WEIGHTS)


def test_half_precision_stays_half_precision(tmp_path):
    halves = {name: value.half() for name, value in WEIGHTS.items()}
    torch.save(halves, tmp_path / 'weights.pth')
    assert_same_weights(read_state_dict(tmp_path / 'weights.pth'), halves)


def test_a_tilde_stands_for_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    torch.save(WEIGHTS, tmp_path / 'weights.pth')
    assert_same_weights(read_state_dict('~/weights.pth'), WEIGHTS)


def test_the_references_names_become_ours(tmp_path):
    file = ROOT / 'tests' / 'data/hourglass_a.pth'
    theirs = torch.load(file, weights_only=True)
    assert all(name.startswith('module.') for name in theirs)
    found = read_state_dict(file)
    assert_same_weights(found, from_reference(theirs))
    assert set(found) == {
        f'backbone.{name}' for name in StackedHourglass(2, 32).state_dict()
    }


@pytest.mark.parametrize(
    'file, sizes',
    [
        ('hourglass_a_module_prefix.pth', (2, 32, 1, 16)),
        # The reference's training checkpoint: not a zip, with optimizer and NumPy.
        ('hourglass_b_checkpoint.pth', (3, 24, 2, 17)),
    ],
)
def test_files_that_the_reference_wrote_fit(shared, file, sizes):
    found = read_state_dict(shared / 'reference' / file)
    ours = {name.removeprefix('backbone.'): value for name, value in found.items()}
    StackedHourglass(*sizes).load_state_dict(ours, strict=True)


# --- URLs --------------------------------------------------------------------------


def test_a_url_is_downloaded_once(tmp_path, server):
    torch.save({'state_dict': PREFIXED}, tmp_path / 'served/weights.pth')
    for _ in range(2):
        found = read_state_dict(f'{server.address}/weights.pth')
        assert_same_weights(found, WEIGHTS)
    assert server.requests == ['/weights.pth']
    assert (tmp_path / 'hub/hub/checkpoints/weights.pth').is_file()


def test_a_url_that_does_not_exist_is_named(server):
    address = f'{server.address}/absent.pth'
    assert refusal(address) == (
        f'"{address}" cannot be read: HTTP Error 404: File not found'
    )


def test_a_server_that_does_not_answer_is_named(server):
    server.shutdown()
    server.server_close()
    address = f'{server.address}/weights.pth'
    assert 'cannot be read' in refusal(address)


def test_a_downloaded_file_cannot_execute_anything(tmp_path, server):
    torch.save({'state_dict': Evil(tmp_path / 'it ran')}, tmp_path / 'served/evil.pth')
    assert 'is refused' in refusal(f'{server.address}/evil.pth')
    assert not (tmp_path / 'it ran').exists()


# --- Errors ------------------------------------------------------------------------


def refusal(source: str | Path) -> str:
    message = refused(read_state_dict, source)
    assert message.startswith(f'"{source}" ')
    assert len(message) < len(str(source)) + 250
    return message


def test_a_file_that_is_missing(tmp_path):
    assert 'does not exist' in refusal(tmp_path / 'absent.pth')


def test_a_folder(tmp_path):
    assert 'is not a file' in refusal(tmp_path)


def test_an_empty_file(tmp_path):
    (tmp_path / 'empty.pth').touch()
    assert 'not a readable PyTorch file' in refusal(tmp_path / 'empty.pth')


@pytest.mark.parametrize('share', [0.1, 0.5, 0.99])
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_file_that_was_cut_off(tmp_path, zipped, share):
    path = tmp_path / 'cut.pth'
    content = {'weight': torch.rand(100, 100)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert 'may be truncated' in refusal(path)


@pytest.mark.parametrize(
    'content',
    [
        b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
        b'<!DOCTYPE html>\n<html><body>Quota exceeded</body></html>\n',
        b'\x89PNG\r\n\x1a\n' + bytes(range(256)),
    ],
    ids=['lfs pointer', 'web page', 'picture'],
)
def test_a_file_of_another_kind(tmp_path, content):
    (tmp_path / 'weights.pth').write_bytes(content)
    message = refusal(tmp_path / 'weights.pth')
    assert 'is not a PyTorch file' in message and 'truncated' not in message
    assert 'weights_only' not in message  # torch's advice to switch it off
    with pytest.raises(pickle.UnpicklingError, match='not a PyTorch file'):
        load_file(BytesIO(content))


def test_an_exported_network(tmp_path):
    (tmp_path / 'a.onnx').write_bytes(b'\x08\x08\x12\x07pytorch')
    message = refusal(tmp_path / 'a.onnx')
    assert 'is an exported network' in message and 'without a config' in message


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_file_that_runs_a_command(tmp_path, zipped):
    path = tmp_path / 'evil.pth'
    content = {'state_dict': WEIGHTS, 'optimizer': Evil(tmp_path / 'it ran')}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    message = refusal(path)
    assert 'is refused: it asks to run' in message and '.system' in message
    assert not (tmp_path / 'it ran').exists()


def test_a_plain_pickle_that_runs_a_command(tmp_path):
    path = tmp_path / 'evil.pth'
    path.write_bytes(pickle.dumps(Evil(tmp_path / 'it ran'), protocol=2))
    refusal(path)
    assert not (tmp_path / 'it ran').exists()


class Getattr:
    def __reduce__(self) -> tuple:
        return getattr, (HistoryBuffer, '__init__')


def test_a_file_that_reaches_for_attributes(tmp_path):
    torch.save({'state_dict': Getattr()}, tmp_path / 'evil.pth')
    message = refusal(tmp_path / 'evil.pth')
    assert "is refused: the checkpoint asks for attribute '__init__'" in message


@pytest.mark.parametrize(
    'content',
    [
        {},
        {'epoch': 3},
        {'state_dict': {}},
        {'state_dict': {'weight': 1.0}},
        {'state_dict': torch.zeros(1), 'epoch': 3},
        {'weight': torch.zeros(1), 'epoch': 3},
        {'model': WEIGHTS},
        [torch.zeros(1)],
        torch.zeros(1),
        'weights',
    ],
    ids=str,
)
def test_a_file_that_holds_no_weights(tmp_path, content):
    torch.save(content, tmp_path / 'other.pth')
    assert 'holds no weights: expected' in refusal(tmp_path / 'other.pth')


def test_an_hourglass_with_an_unknown_weight(tmp_path):
    names = ('conv1.weight', 'hg.0.hg.0.3.0.conv1.weight', 'score.0.weight', 'extra.w')
    torch.save(dict.fromkeys(names, torch.zeros(1)), tmp_path / 'mixed.pth')
    assert '"extra.w" is not a weight' in refusal(tmp_path / 'mixed.pth')
