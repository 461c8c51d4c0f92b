"""OpenMMLab finds the configs of the package by name, from any folder."""

import pytest
from mmengine import hub
from mmengine.config import Config
from mmengine.hub import get_config
from mmpose.apis import MMPoseInferencer

from fpd_mmpose.config import config_root, find_config, load_config
from fpd_mmpose.errors import UserError

NAME = 'fpd_mmpose::quickstart/hg2_64_drawn.py'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def weights() -> str:
    (path,) = config_root().glob('quickstart/hg2_64_drawn-*.pth')
    return str(path)


def test_a_prefixed_name_is_that_of_the_package_alone(tmp_path):
    mine = tmp_path / 'quickstart/hg2_64_drawn.py'
    mine.parent.mkdir()
    mine.write_text('model = dict(type="Mine")')
    assert load_config('quickstart/hg2_64_drawn.py').model.type == 'Mine'
    assert find_config(NAME) == config_root() / 'quickstart/hg2_64_drawn.py'
    assert load_config(NAME).model.type == 'TopdownPoseEstimator'
    with pytest.raises(UserError, match=r'"fpd_mmpose::a/b.py" does not exist: looked'):
        load_config('fpd_mmpose::a/b.py')


def test_the_hub_finds_it():
    assert get_config(NAME).model.backbone.type == 'StackedHourglass'
    pretrained = hub.get_config(NAME, pretrained=True)
    assert pretrained.model_path == 'checkpoints/hg2_64_drawn.pth'
    name = 'body_2d_keypoint/topdown_heatmap/mpii/td-hm_res50_8xb64-210e_mpii-256x256'
    stock = get_config(f'mmpose::{name}.py')
    assert stock.model.backbone.type == 'ResNet'


def test_a_config_can_be_based_on_it(tmp_path):
    (tmp_path / 'mine.py').write_text(f'_base_ = ["{NAME}"]\nmodel = dict(a=1)')
    config = Config.fromfile('mine.py')
    assert config.model.type == 'TopdownPoseEstimator' and config.model.a == 1


@pytest.mark.parametrize('name', ['hg2_64_drawn', NAME])
def test_the_inferencer_takes_its_name(name, weights):
    inferencer = MMPoseInferencer(name, weights, det_model='whole_image', device='cpu')
    assert inferencer.inferencer.cfg.model.backbone.num_features == 64


def test_the_inferencer_looks_for_weights_where_configs_name_them():
    with pytest.raises(UserError, match='"checkpoints/hg4_128_mpii.pth" does not'):
        MMPoseInferencer('hg4_128_mpii', device='cpu')
    with pytest.raises(ValueError, match='Cannot find model: hg4_128_mpi in mmpose'):
        MMPoseInferencer('hg4_128_mpi', device='cpu')
