"""Whatever loads a pose estimator rejects the weights of another network."""

import logging
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS as DETECTORS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from mmengine.runner import checkpoint as stock
from mmpose.apis import init_model
from mmpose.apis.inferencers import Pose2DInferencer
from mmpose.registry import MODELS

from fpd_mmpose.weights.fitting import partial_load
from tests.helpers.reduced import reduced_config, reduced_distiller
from tests.helpers.small_detector import CONFIG, save_weights

PREFIXES = [
    'module.module.',
    '_orig_mod.',
    'architecture.',
    'module.student._orig_mod.',
]


def hourglass(root: Path, folder: Path, **sizes: int) -> Config:
    return reduced_config('hourglass/hg4_128_mpii.py', root, folder / 'run', **sizes)


def saved(config: Config, path: Path, prefix: str = '') -> str:
    torch.manual_seed(3)
    weights = MODELS.build(config.model).state_dict()
    torch.save({prefix + name: value for name, value in weights.items()}, path)
    return str(path)


def assert_loaded(model: torch.nn.Module, file: str) -> None:
    expected = torch.load(file, weights_only=True)
    found = model.state_dict()
    for name, value in zip(expected, expected.values(), strict=True):
        (own,) = [key for key in found if name.endswith(key)]
        assert torch.equal(found[own].cpu(), value)


def refusal_of(call, file: str) -> str:
    with pytest.raises(ValueError) as info:
        call()
    message = str(info.value)
    assert message.startswith(f'"{file}" does not fit the network (') and (
        '\n' not in message
    )
    return message


@pytest.fixture(params=[dict(features=24), dict(stacks=1), dict(stacks=3)], ids=str)
def foreign(request, mpii_root, tmp_path) -> str:
    other = hourglass(mpii_root, tmp_path, **request.param)
    return saved(other, tmp_path / 'other.pth')


@pytest.mark.parametrize('resume', [True, False], ids=['resume', 'load_from'])
def test_training_does_not_start(mpii_root, tmp_path, foreign, resume):
    if resume:
        hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
        meta = dict(epoch=0, iter=0)
        weights = torch.load(foreign)
        torch.save(dict(meta=meta, message_hub=hub, state_dict=weights), foreign)
    config = hourglass(mpii_root, tmp_path)
    config.update(load_from=foreign, resume=resume)
    runner = Runner.from_cfg(config)
    message = refusal_of(runner.train, foreign)
    assert 'TopdownPoseEstimator, StackedHourglass, CPMHead' in message
    assert "set model.init_cfg=dict(type='Pretrained'" in message
    assert runner.iter == 0 and not list((tmp_path / 'run').glob('*.pth'))


def test_nothing_is_scored(mpii_root, tmp_path, foreign):
    config = hourglass(mpii_root, tmp_path)
    config.load_from = foreign
    refusal_of(Runner.from_cfg(config).test, foreign)
    config.model = dict(type='MultiScaleSearch', module=config.model)
    config.experiment_name = config.visualizer.name = 'with augmentation'
    refusal_of(Runner.from_cfg(config).test, foreign)


def test_nothing_is_shown(mpii_root, tmp_path, foreign):
    config = hourglass(mpii_root, tmp_path)
    refusal_of(lambda: init_model(config, foreign, device='cpu'), foreign)
    refusal_of(
        lambda: Pose2DInferencer(
            config, foreign, device='cpu', det_model='whole_image'
        ),
        foreign,
    )


def test_a_teacher_does_not_fit_a_student(mpii_root, tmp_path):
    config = reduced_distiller(mpii_root, tmp_path)
    config.load_from = config.model.teacher['checkpoint']
    message = refusal_of(Runner.from_cfg(config).train, config.load_from)
    assert 'weights have another shape' in message and 'are unknown' in message


@pytest.mark.parametrize('resume', [True, False], ids=['resume', 'load_from'])
def test_the_averaged_network_is_checked_as_well(mpii_root, tmp_path, resume):
    config = hourglass(mpii_root, tmp_path)
    config.custom_hooks = [dict(type='EMAHook')]
    other = MODELS.build(hourglass(mpii_root, tmp_path, features=24).model).state_dict()
    average = {f'module.{name}': value for name, value in other.items()}
    file = str(tmp_path / 'other.pth')
    torch.save(dict(state_dict=other, ema_state_dict=average), file)
    config.update(load_from=file, resume=resume)
    with pytest.raises(ValueError, match=f'"{file}" does not fit the ') as info:
        Runner.from_cfg(config).train()
    assert '\n' not in str(info.value)


def test_an_averaged_network_starts_from_bare_weights(mpii_root, tmp_path):
    config = hourglass(mpii_root, tmp_path)
    config.custom_hooks = [dict(type='EMAHook')]
    config.load_from = saved(config, tmp_path / 'good.pth')
    runner = Runner.from_cfg(config)
    runner.call_hook('before_run')
    runner.load_or_resume()
    assert_loaded(runner.model, config.load_from)


@pytest.mark.parametrize('prefix', ['', *PREFIXES])
def test_prefixes_of_wrappers_are_removed(mpii_root, tmp_path, prefix):
    config = hourglass(mpii_root, tmp_path)
    config.load_from = saved(config, tmp_path / 'good.pth', prefix)
    runner = Runner.from_cfg(config)
    runner.load_or_resume()
    assert_loaded(runner.model, config.load_from)
    assert_loaded(init_model(config, config.load_from, 'cpu'), config.load_from)


@pytest.mark.parametrize('prefix', ['', 'module.', 'module._orig_mod.'])
def test_pretrained_loads_a_backbone_from_a_wrapped_network(tmp_path, prefix):
    config = reduced_config('resnet/res50_mpii.py', tmp_path, tmp_path)
    file = saved(config, tmp_path / 'good.pth', prefix)
    start = dict(type='Pretrained', checkpoint=file, prefix='backbone.')
    backbone = MODELS.build({**config.model.backbone, 'init_cfg': start})
    backbone.init_weights()
    expected = torch.load(file, weights_only=True)[f'{prefix}backbone.conv1.weight']
    assert torch.equal(backbone.conv1.weight, expected)


# --- What is still possible --------------------------------------------------------


def test_a_partial_load_is_possible_on_request(mpii_root, tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'fpd_mmpose.weights.fitting.print_log', lambda line, **_: lines.append(line)
    )
    other = hourglass(mpii_root, tmp_path)
    other.model.backbone.num_joints = other.model.head.in_channels = 17
    other.model.head.out_channels = 17
    file = saved(other, tmp_path / 'coco.pth')
    config = hourglass(mpii_root, tmp_path)
    config.load_from = file
    assert '5 weights have another shape' in refusal_of(
        Runner.from_cfg(config).train, file
    )
    config.load_from = None
    config.model.init_cfg = dict(type='Pretrained', checkpoint=file)
    config.experiment_name = config.visualizer.name = 'in part'
    Runner.from_cfg(config).train()
    (line,) = [line for line in lines if file in line]
    theirs, mine = (torch.load(file, weights_only=True), MODELS.build(config.model))
    own = [name for name in mine.state_dict() if 'num_batches_tracked' not in name]
    assert f'{len(own) - 5} weights are loaded into TopdownPoseEstimator' in line
    assert '5 weights have another shape (first backbone.stacks.0.' in line

    with partial_load():
        load_checkpoint(mine, file)
    assert torch.equal(mine.backbone.stem[0].weight, theirs['backbone.stem.0.weight'])


def test_a_backbone_accepts_imagenet_weights_but_not_unrelated_ones(tmp_path):
    config = reduced_config('resnet/res50_mpii.py', tmp_path, tmp_path)
    backbone = MODELS.build(config.model.backbone)
    weights = {**backbone.state_dict(), 'fc.weight': torch.zeros(2)}
    torch.save(weights, tmp_path / 'imagenet.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth'))
    model = MODELS.build(dict(config.model, backbone={
        **config.model.backbone, 'init_cfg': start}))  # fmt: skip
    model.init_weights()
    assert torch.equal(model.backbone.conv1.weight, weights['conv1.weight'])

    torch.save({'other': torch.zeros(2)}, tmp_path / 'imagenet.pth')
    model = MODELS.build(dict(config.model, backbone={
        **config.model.backbone, 'init_cfg': start}))  # fmt: skip
    message = refusal_of(model.init_weights, start['checkpoint'])
    assert '(ResNet)' in message and 'init_cfg' not in message


def test_names_of_older_mmpose_releases_are_accepted(tmp_path):
    config = reduced_config('resnet/res50_mpii.py', tmp_path, tmp_path)
    model = MODELS.build(config.model)
    old = {
        name.replace('head.', 'keypoint_head.', 1): value
        for name, value in model.state_dict().items()
        if 'num_batches_tracked' not in name
    }
    old['data_preprocessor.mean'] = torch.zeros(3, 1, 1)
    torch.save(dict(state_dict=old), tmp_path / 'old.pth')
    other = MODELS.build(config.model)
    load_checkpoint(other, str(tmp_path / 'old.pth'))
    assert torch.equal(other.head.final_layer.weight, model.head.final_layer.weight)

    old['keypoint_head.final_layer.weight'] = torch.zeros(17, 8, 1, 1)
    torch.save(dict(state_dict=old), tmp_path / 'old.pth')
    message = refusal_of(
        lambda: load_checkpoint(other, str(tmp_path / 'old.pth')),
        str(tmp_path / 'old.pth'),
    )
    assert '1 weights have another shape (first head.final_layer.weight: (17, ' in (
        message
    )


def test_detectors_load_as_before(tmp_path, caplog):
    (tmp_path / 'wider.py').write_text(CONFIG.replace('num_classes=3', 'num_classes=4'))
    (tmp_path / 'config.py').write_text(CONFIG)
    file = save_weights(str(tmp_path / 'wider.py'), tmp_path / 'wider.pth')
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = DETECTORS.build(Config.fromfile(tmp_path / 'config.py').model)
        with caplog.at_level(logging.WARNING):
            load_checkpoint(model, file)
    stem = 'backbone.stem.0.conv.weight'
    expected = torch.load(file, weights_only=True)['state_dict'][stem]
    assert torch.equal(model.state_dict()[stem], expected)


def test_weights_without_a_file_have_a_message_too(mpii_root, tmp_path):
    model = MODELS.build(hourglass(mpii_root, tmp_path).model)
    for state_dict in ({1: torch.zeros(1)}, {'x': torch.zeros(1)}, {'x': 1}):
        with pytest.raises(ValueError, match='names that are not strings|does not fit'):
            stock.load_state_dict(model, state_dict)
