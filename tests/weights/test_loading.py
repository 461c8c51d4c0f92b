"""mmengine and MMPose load files of other projects."""

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from mmpose.apis.inferencers import Pose2DInferencer
from mmpose.registry import MODELS
from torch import nn

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights import read_state_dict, to_reference
from fpd_mmpose.weights.conversion import convert
from fpd_mmpose.weights.mmengine_loader import install
from tests.helpers import ROOT
from tests.helpers.hostile import Evil
from tests.helpers.reduced import reduced_config
from tests.helpers.refusals import refused

STORED = ROOT / 'tests' / 'data'
FILE = str(STORED / 'hourglass_a.pth')


@pytest.fixture(autouse=True, scope='module')
def installed() -> None:
    install()


def config_of_a() -> object:
    """The config of the network in the stored file."""
    config = load_config('configs/hourglass/hg4_128_mpii.py')
    config.model.backbone.update(num_stacks=2, num_features=32)
    config.model.head.update(num_stages=2)
    return config


def assert_loaded(model: nn.Module, file: str = FILE) -> None:
    found = model.state_dict()
    expected = read_state_dict(file)
    assert list(expected) and set(expected) == set(found)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def tiny_hourglass() -> dict[str, torch.Tensor]:
    return to_reference(StackedHourglass(1, 8).state_dict(), prefix='')


def test_load_from_accepts_a_file_of_the_reference(mpii_root, tmp_path):
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 2, 32)
    config.load_from = FILE
    runner = Runner.from_cfg(config)
    runner.load_or_resume()
    assert_loaded(runner.model)


def test_pretrained_accepts_a_file_of_the_reference():
    settings = dict(init_cfg=dict(type='Pretrained', checkpoint=FILE))
    model = MODELS.build(dict(config_of_a().model, **settings))
    model.init_weights()
    assert_loaded(model)


def test_the_inferencer_accepts_both_forms_of_a_file(tmp_path):
    convert(FILE, tmp_path / 'ours.pth')
    image = np.random.default_rng(0).integers(0, 255, (80, 60, 3), np.uint8)
    found = []
    for weights in (FILE, str(tmp_path / 'ours.pth')):
        inferencer = Pose2DInferencer(
            config_of_a(), weights, device='cpu', det_model='whole_image'
        )
        assert inferencer.model.dataset_meta['dataset_name'] == 'mpii'
        result = next(inferencer(image, return_vis=True))
        assert result['visualization'][0].shape == image.shape
        found.append(result['predictions'][0][0]['keypoints'])
    assert len(found[0]) == 16 and found[0] == found[1]


def test_a_training_checkpoint_gives_its_state_dict(tmp_path):
    weights = tiny_hourglass()
    prefixed = {f'module.{name}': value for name, value in weights.items()}
    content = {'epoch': 3, 'state_dict': prefixed, 'best_state_dict': weights}
    torch.save(content, tmp_path / 'checkpoint.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'checkpoint.pth'))
    assert list(found) == ['state_dict']
    assert set(found['state_dict']) == set(read_state_dict(tmp_path / 'checkpoint.pth'))


def test_official_hrnet_pose_weights_load_as_they_are(tmp_path, hrnet, official_hrnet):
    file = str(tmp_path / 'pose_hrnet_w32_256x192.pth')
    torch.save(official_hrnet, file)
    expected = hrnet.state_dict()
    found = CheckpointLoader.load_checkpoint(file)['state_dict']
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    # As a teacher too.
    assert set(read_state_dict(file)) == set(expected)


def test_official_simple_baseline_weights_load_as_they_are(tmp_path, simple_baseline):
    file = str(tmp_path / 'pose_resnet_50_256x256.pth')
    torch.save(simple_baseline.state_dict(), file)
    config = load_config('configs/resnet/res50_mpii.py')
    model = MODELS.build(config.model)
    load_checkpoint(model, file, strict=True)
    assert torch.equal(model.head.final_layer.bias, simple_baseline.final_layer.bias)


@pytest.mark.parametrize(
    'content',
    [
        # The names of torchvision and ImageNet are those of a backbone.
        {f'{name}.weight': torch.zeros(1) for name in
         ('conv1', 'layer1.0.conv1', 'layer4.0.conv1', 'fc')},
        {f'{name}.weight': torch.zeros(1) for name in
         ('conv1', 'conv2', 'stage4.2.branches.0.0.conv1', 'final_layer.0')},
        {'state_dict': {'backbone.stem.0.weight': torch.zeros(1)}, 'meta': {}},
        {'other': torch.zeros(1)},
        [torch.zeros(1)],
    ],
    ids=['ResNet', 'HRNet', 'ours', 'unknown', 'list'],
)  # fmt: skip
def test_other_files_pass_unchanged(tmp_path, content):
    torch.save(content, tmp_path / 'a.pth')
    assert CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth')) == content


def refusal(file: str) -> str:
    message = refused(CheckpointLoader.load_checkpoint, file)
    assert message.startswith(f'"{file}" ')
    return message


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match='absent.pth" does not exist'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'absent.pth'))


def test_a_file_that_was_cut_off_is_named(tmp_path):
    torch.save(tiny_hourglass(), tmp_path / 'a.pth')
    (tmp_path / 'a.pth').write_bytes((tmp_path / 'a.pth').read_bytes()[:5000])
    assert 'may be truncated' in refusal(str(tmp_path / 'a.pth'))


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_file_that_executes_something_is_an_error(tmp_path, zipped):
    content = {'state_dict': tiny_hourglass(), 'optimizer': Evil(tmp_path / 'it ran')}
    torch.save(content, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    assert 'is refused: it asks to run' in refusal(str(tmp_path / 'a.pth'))
    assert not (tmp_path / 'it ran').exists()


def test_urls_are_read_in_the_same_way(tmp_path, server):
    torch.save(tiny_hourglass(), tmp_path / 'served/model_best.pth')
    address = f'{server.address}/model_best.pth'
    found = CheckpointLoader.load_checkpoint(address, map_location='cpu')
    assert set(found['state_dict']) == set(read_state_dict(address))

    torch.save([Evil(tmp_path / 'it ran')], tmp_path / 'served/evil.pth')
    assert 'is refused: it asks to run' in refusal(f'{server.address}/evil.pth')
    assert not (tmp_path / 'it ran').exists()


def test_installing_twice_converts_once():
    before = dict(CheckpointLoader._schemes)
    install()
    assert list(CheckpointLoader._schemes) == list(before)
    assert CheckpointLoader._schemes[''].__wrapped__ is before[''].__wrapped__
