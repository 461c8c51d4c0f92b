"""Weight files are converted between projects."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS
from torch import nn
from torchvision.models import resnet50

from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights import read_state_dict, to_reference
from fpd_mmpose.weights.architectures import architecture_of
from fpd_mmpose.weights.conversion import convert
from tests.helpers import ROOT
from tests.helpers.hostile import Evil
from tests.helpers.refusals import refused
from tests.helpers.rounding import assert_same

STORED = ROOT / 'tests' / 'data'


def tiny_hourglass() -> dict[str, torch.Tensor]:
    """The weights of an hourglass under the reference's names."""
    return to_reference(StackedHourglass(2, 8).state_dict(), prefix='')


def load_strictly(file: Path) -> nn.Module:
    """Loads a converted file as MMPose does."""
    model = MODELS.build(architecture_of(read_state_dict(file)).model).eval()
    load_checkpoint(model, str(file), strict=True)
    return model


@torch.no_grad()
def outputs(model: nn.Module, image: np.ndarray) -> np.ndarray:
    return np.stack(model(torch.from_numpy(image), None))


def assert_bit_identical(found: dict, expected: dict) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name


def bare(state_dict: dict) -> dict:
    return {name.removeprefix('module.'): value for name, value in state_dict.items()}


# --- The reference's hourglass -----------------------------------------------------


def test_a_converted_hourglass_gives_the_references_heatmaps(tmp_path):
    report = convert(STORED / 'hourglass_a.pth', tmp_path / 'ours.pth')
    assert "the reference's hourglass weights" in report[0]
    assert 'stacks 2, features 32, blocks per branch 1, joints 16' in report[1]
    assert 'parameters: 112,944 in float32' in report
    numbers = np.load(STORED / 'hourglass_a.npz')
    found = outputs(load_strictly(tmp_path / 'ours.pth'), numbers['input'])
    assert_same(found, numbers['heatmaps'])


def test_it_comes_back_bit_by_bit(tmp_path):
    convert(STORED / 'hourglass_a.pth', tmp_path / 'ours.pth')
    convert(tmp_path / 'ours.pth', tmp_path / 'back.pth', reverse=True)
    assert_bit_identical(
        torch.load(tmp_path / 'back.pth', weights_only=True),
        bare(torch.load(STORED / 'hourglass_a.pth', weights_only=True)),
    )
    # The reference needs torch 1.0, which cannot read zip files.
    assert not (tmp_path / 'back.pth').read_bytes().startswith(b'PK')


@pytest.mark.parametrize(
    'name, numbers',
    [
        ('hourglass_a_module_prefix.pth', 'hourglass_a.npz'),
        ('hourglass_b_checkpoint.pth', 'hourglass_b.npz'),
    ],
)
def test_files_of_the_reference_convert_there_and_back(shared, tmp_path, name, numbers):
    file = shared / 'reference' / name
    report = '\n'.join(convert(file, tmp_path / 'ours.pth'))
    numbers = np.load(shared / 'reference' / numbers)
    for size in ('stacks', 'features', 'joints'):
        assert f'{size} {numbers[f"num_{size}"]}' in report
    found = outputs(load_strictly(tmp_path / 'ours.pth'), numbers['input'])
    assert_same(found, numbers['heatmaps'])

    convert(tmp_path / 'ours.pth', tmp_path / 'back.pth', reverse=True)
    theirs = torch.load(file, weights_only=True)
    assert_bit_identical(
        torch.load(tmp_path / 'back.pth', weights_only=True),
        bare(theirs.get('state_dict', theirs)),
    )


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
@pytest.mark.parametrize('layout', ['bare', 'module', 'checkpoint', 'no optimizer'])
def test_every_layout_of_an_hourglass_converts(tmp_path, layout, dtype, zipped):
    weights = {
        k: v.to(dtype) if v.is_floating_point() else v
        for k, v in tiny_hourglass().items()
    }
    prefixed = {f'module.{name}': value for name, value in weights.items()}
    content = {'bare': weights, 'module': prefixed}.get(layout)
    if content is None:
        content = {'epoch': 3, 'state_dict': prefixed, 'perf': np.float64(88.0)}
    if layout == 'checkpoint':
        content['optimizer'] = {'state': {0: {'step': 1}}, 'param_groups': []}
    torch.save(content, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    report = convert(tmp_path / 'a.pth', tmp_path / 'ours.pth')
    assert f'in {str(dtype).removeprefix("torch.")}' in report[2]
    convert(tmp_path / 'ours.pth', tmp_path / 'back.pth', reverse=True)
    assert_bit_identical(torch.load(tmp_path / 'back.pth'), weights)


def test_the_other_content_of_a_training_checkpoint_is_named(tmp_path):
    last, best = tiny_hourglass(), tiny_hourglass()
    content = {'epoch': 3, 'state_dict': last, 'best_state_dict': best}
    torch.save(content, tmp_path / 'a.pth')
    report = convert(tmp_path / 'a.pth', tmp_path / 'last.pth')
    assert 'left out: epoch, best_state_dict' in report
    assert any('`best` takes them' in line for line in report)
    convert(tmp_path / 'a.pth', tmp_path / 'best.pth', best=True)
    for name, weights in (('last.pth', last), ('best.pth', best)):
        convert(tmp_path / name, tmp_path / 'back.pth', reverse=True)
        assert_bit_identical(torch.load(tmp_path / 'back.pth'), weights)


# --- HRNet and SimpleBaseline ------------------------------------------------------


@torch.no_grad()
def test_official_hrnet_pose_weights(tmp_path, hrnet, official_hrnet):
    torch.save(official_hrnet, tmp_path / 'a.pth')
    report = '\n'.join(convert(tmp_path / 'a.pth', tmp_path / 'ours.pth'))
    assert 'official HRNet pose weights' in report
    assert 'HRNet-W32; width 32, joints 17' in report
    assert 'config: configs/hrnet/hrnet_w32_coco_256x192.py or' in report
    image = torch.rand(1, 3, 64, 64)
    found = load_strictly(tmp_path / 'ours.pth')(image, None)
    assert torch.equal(found, hrnet(image, None))
    convert(tmp_path / 'ours.pth', tmp_path / 'back.pth', reverse=True)
    assert_bit_identical(torch.load(tmp_path / 'back.pth'), official_hrnet)


@torch.no_grad()
def test_official_simple_baseline_pose_weights(tmp_path, simple_baseline):
    weights = simple_baseline.state_dict()
    torch.save({f'module.{k}': v for k, v in weights.items()}, tmp_path / 'a.pth')
    report = '\n'.join(convert(tmp_path / 'a.pth', tmp_path / 'ours.pth'))
    assert 'official SimpleBaseline pose weights' in report
    assert 'ResNet-50; depth 50, transposed convolutions 3, joints 16' in report
    image = torch.rand(1, 3, 64, 96)
    found = load_strictly(tmp_path / 'ours.pth')(image, None)
    assert_same(found, simple_baseline(image))
    convert(tmp_path / 'ours.pth', tmp_path / 'back.pth', reverse=True)
    assert_bit_identical(torch.load(tmp_path / 'back.pth'), dict(weights))


@torch.no_grad()
def test_an_imagenet_resnet_becomes_a_backbone(tmp_path):
    classifier = resnet50().eval()
    torch.save(classifier.state_dict(), tmp_path / 'a.pth')
    report = convert(tmp_path / 'a.pth', tmp_path / 'ours.pth')
    assert 'left out: 2 weights that only classify (2 of fc)' in report
    file = dict(checkpoint=str(tmp_path / 'ours.pth'), prefix='backbone.')
    backbone = MODELS.build(
        dict(type='ResNet', depth=50, init_cfg=dict(type='Pretrained', **file))
    )
    backbone.init_weights()
    backbone.eval()
    image = torch.rand(1, 3, 64, 64)
    trunk = nn.Sequential(*list(classifier.children())[:-2])
    assert_same(backbone(image)[-1], trunk(image))


def test_an_imagenet_hrnet_becomes_a_backbone(tmp_path, hrnet, official_hrnet):
    weights = {k: v for k, v in official_hrnet.items() if 'final_layer' not in k}
    weights['stage4.2.fuse_layers.1.0.0.0.weight'] = torch.zeros(64, 32, 3, 3)
    weights['incre_modules.0.0.conv1.weight'] = torch.zeros(32, 32, 1, 1)
    weights['final_layer.0.weight'] = torch.zeros(2048, 1024, 1, 1)
    weights['classifier.weight'] = torch.zeros(1000, 2048)
    torch.save(weights, tmp_path / 'a.pth')
    report = '\n'.join(convert(tmp_path / 'a.pth', tmp_path / 'ours.pth', verify=True))
    assert 'an ImageNet HRNet' in report and 'a backbone without head' in report
    assert (
        'left out: 4 weights that only classify (1 of stage4, 1 of incre_modules, '
        '1 of final_layer, 1 of classifier)'
    ) in report
    assert 'features (1, 32, 64, 64)' in report
    found = torch.load(tmp_path / 'ours.pth', weights_only=True)['state_dict']
    theirs = {k: v for k, v in hrnet.state_dict().items() if 'head' not in k}
    assert_bit_identical(found, theirs)


# --- Files of this project ---------------------------------------------------------


def test_a_checkpoint_of_this_project_is_reduced_to_its_weights(tmp_path):
    network = StackedHourglass(1, 8)
    weights = {f'backbone.{k}': v for k, v in network.state_dict().items()}
    content = {
        'meta': {'epoch': 3, 'dataset_meta': {'sigmas': np.ones(16, np.float32)}},
        'state_dict': weights,
        'ema_state_dict': weights,
        'optimizer': {'state': {}},
        'message_hub': {'log_scalars': {'loss': HistoryBuffer([1.0], [1])}},
    }
    torch.save(content, tmp_path / 'epoch_3.pth')
    report = convert(tmp_path / 'epoch_3.pth', tmp_path / 'weights.pth')
    assert 'left out: ema_state_dict, optimizer, message_hub' in report
    assert any('averaged weights' in line for line in report)
    found = torch.load(tmp_path / 'weights.pth', weights_only=True)
    assert_bit_identical(found.pop('state_dict'), weights)
    assert found == {'meta': {'epoch': 3, 'dataset_meta': {'sigmas': [1.0] * 16}}}


def test_the_file_names_the_joints_in_plain_types(tmp_path):
    convert(STORED / 'hourglass_a.pth', tmp_path / 'ours.pth')
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        content = torch.load(tmp_path / 'ours.pth', weights_only=True)
    finally:
        torch.serialization.add_safe_globals(before)
    meta = content['meta']['dataset_meta']
    assert (meta['dataset_name'], meta['num_keypoints']) == ('mpii', 16)


# --- Running the network -----------------------------------------------------------


def test_statistics_are_those_of_a_seeded_input(tmp_path):
    torch.save(tiny_hourglass(), tmp_path / 'a.pth')
    lines = [
        convert(tmp_path / 'a.pth', tmp_path / 'ours.pth', **options)[-2]
        for options in (
            dict(verify=True),
            dict(verify=True),
        )
    ]
    assert lines[0] == lines[1] and '(1, 16, 64, 64) of a normal input 256' in lines[0]
    image = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    found = outputs(load_strictly(tmp_path / 'ours.pth'), image.numpy())[-1]
    shown = [float(x) for x in re.findall(r'(?:mean|std|min|max) (\S+?),? ', lines[0])]
    expected = [found.mean(), found.std(ddof=1), found.min(), found.max()]
    np.testing.assert_allclose(shown, expected, rtol=1e-4)


def test_weights_whose_output_is_nan_are_an_error(tmp_path):
    weights = tiny_hourglass()
    weights['score.1.bias'][0] = float('nan')
    assert 'NaN or infinite' in refusal(tmp_path, weights, verify=True)


# --- Errors ------------------------------------------------------------------------


def refusal(folder: Path, content: object, **options: object) -> str:
    """Converts an object that cannot be converted; returns the error."""
    torch.save(content, folder / 'a.pth')
    (folder / 'ours.pth').write_text('what was there')
    files = folder / 'a.pth', folder / 'ours.pth'
    message = refused(convert, *files, **options)
    assert (folder / 'ours.pth').read_text() == 'what was there'
    assert {file.name for file in folder.iterdir()} == {'a.pth', 'ours.pth'}
    return message


def test_unknown_weights_are_described_by_their_first_names(tmp_path):
    names = [f'features.{index}.weight' for index in range(9)]
    message = refusal(tmp_path, dict.fromkeys(names, torch.zeros(1)))
    assert '9 names, starting with features.0.weight, features.1.weight' in message
    assert "known are the reference's hourglass, official HRNet" in message


def test_an_hourglass_that_lacks_a_weight_is_an_error(tmp_path):
    weights = tiny_hourglass()
    del weights['fc.1.0.bias']
    message = refusal(tmp_path, weights)
    assert (
        f'"{tmp_path}/a.pth" holds the reference\'s hourglass weights, but' in message
    )
    assert '1 weights are missing (first backbone.stacks.1.conv.bias)' in message


@pytest.mark.parametrize('place', ['state_dict', 'optimizer', 'perf'])
def test_a_file_that_executes_something_is_an_error(tmp_path, place):
    content = {'state_dict': tiny_hourglass(), place: Evil(tmp_path / 'it ran')}
    assert 'is refused: it asks to run' in refusal(tmp_path, content)


def test_a_file_without_best_weights(tmp_path):
    message = refusal(tmp_path, {'state_dict': tiny_hourglass()}, best=True)
    assert message == f'"{tmp_path}/a.pth" has no "best_state_dict": leave out `best`'


def test_the_source_is_not_overwritten(tmp_path):
    torch.save(tiny_hourglass(), tmp_path / 'a.pth')
    (tmp_path / 'link.pth').symlink_to('a.pth')
    content = (tmp_path / 'a.pth').read_bytes()
    for target in ('a.pth', 'link.pth'):
        with pytest.raises(ValueError, match='is the source: give another file'):
            convert(tmp_path / 'a.pth', tmp_path / target)
    assert (tmp_path / 'a.pth').read_bytes() == content
