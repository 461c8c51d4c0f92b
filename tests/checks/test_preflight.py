"""What a run would end with after an epoch, it says before its first step."""

import copy
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from fpd_mmpose.checks import check, preflight
from tests.helpers.check_data import TRAIN, VAL, image_of
from tests.helpers.coco_data import write_coco
from tests.helpers.reduced import reduced_config, reduced_distiller
from tests.helpers.refusals import refused


@pytest.fixture
def config(root: Path, tmp_path: Path) -> Config:
    """Twelve people of 64 x 64 pixels in batches of four."""
    config = reduced_config('hourglass/hg4_128_mpii.py', root, tmp_path / 'run', 1, 16)
    config.train_dataloader.update(batch_size=4, drop_last=False)
    return config


class _Steps(Hook):
    def __init__(self) -> None:
        self.number = 0

    def after_train_iter(self, *args, **kwargs) -> None:
        self.number += 1


def refusal(config: Config) -> str:
    """The message of a run that must stop before its first step."""
    runner = Runner.from_cfg(copy.deepcopy(config))
    steps = _Steps()
    runner.register_hook(steps)
    message = refused(runner.train)
    assert steps.number == 0
    return message


def _enlarge(config: Config) -> None:
    """To inputs of 128 x 128 pixels."""
    codec = dict(config.codec, input_size=(128, 128), heatmap_size=(32, 32))
    config.model.head.decoder = codec
    for split in ('train', 'val', 'test'):
        for step in config[f'{split}_dataloader'].dataset.pipeline:
            if 'input_size' in step:
                step.input_size = (128, 128)
            if 'encoder' in step:
                step.encoder = codec


def checked(config: Config) -> list[str]:
    """The problems that the check reports."""
    return check(config).problems


# --- The best score ------------------------------------------------------------------


@pytest.mark.parametrize('key', ['coco/AP', 'PCKh/mean', 'Mean', 'PCKh', 'PCKh/'])
def test_a_best_score_that_no_metric_computes(config, key):
    config.default_hooks.checkpoint.update(save_best=key, rule='greater')
    message = refusal(config)
    assert f'no validation metric computes "{key}"' in message
    assert 'PCKh/Mean' in message and message in checked(config)


def test_a_best_score_of_coco(tmp_path):
    write_coco(tmp_path / 'coco')
    config = reduced_config(
        'hourglass/hg4_128_coco_256x192.py', tmp_path / 'coco', tmp_path / 'run', 1, 16
    )
    config.default_hooks.checkpoint.update(save_best='PCKh/Mean', rule='greater')
    assert 'coco/AP, coco/AP .5' in refusal(config)


@pytest.mark.parametrize('key', ['PCKh/Mean', 'PCKh/AUC', 'auto'])
def test_a_best_score_that_a_metric_computes(config, key):
    config.default_hooks.checkpoint.update(save_best=key, rule='greater')
    Runner.from_cfg(config).train()
    assert list(Path(config.work_dir).glob('best_*'))


# --- The last batch ------------------------------------------------------------------


@pytest.mark.parametrize('batch_size', [11, 1])
def test_a_last_batch_of_one_person(config, batch_size):
    config.train_dataloader.batch_size = batch_size
    message = refusal(config)
    assert message.startswith('the last batch of the 12 training samples is a single')
    assert 'at 64 x 64 pixels: set train_dataloader.drop_last=True' in message
    assert f'train: {message}' in checked(config)


def test_fewer_people_than_a_batch(config):
    config.train_dataloader.update(batch_size=13, drop_last=True)
    message = refusal(config)
    assert message == (
        'train_dataloader has no batch: its 12 samples are fewer than batch_size=13, '
        'and drop_last leaves them out'
    )
    assert f'train: {message}' in checked(config)


@pytest.mark.parametrize(
    'settings',
    [
        dict(batch_size=11, drop_last=True),
        dict(batch_size=5),
        dict(batch_size=11, sampler=dict(type='InfiniteSampler')),
    ],
    ids=str,
)
def test_a_last_batch_that_can_be_trained_on(config, settings):
    config.train_dataloader.update(settings)
    if 'sampler' in settings:
        config.train_cfg = dict(by_epoch=False, max_iters=2, val_interval=2)
        config.param_scheduler = []
        config.default_hooks.checkpoint.by_epoch = False
    Runner.from_cfg(config).train()
    assert not checked(config)


def test_one_person_is_enough_where_each_channel_has_several_values(config):
    config.train_dataloader.batch_size = 11
    _enlarge(config)
    Runner.from_cfg(config).train()
    assert not checked(config)


def test_a_distillation_is_checked_as_its_student_is(root, tmp_path):
    config = reduced_distiller(root, tmp_path, stacks=1, features=16)
    config.train_dataloader.update(batch_size=11, drop_last=False)
    assert 'is a single one' in refusal(config)
    assert any('is a single one' in problem for problem in checked(config))


# --- Images --------------------------------------------------------------------------


@pytest.mark.parametrize('split', [TRAIN, VAL])
def test_a_missing_image(config, root, split):
    path = image_of(root, split, 3)
    path.unlink()
    message = refusal(config)
    assert f'the first is "{path}" of record 3' in message and split in message


def test_a_damaged_first_image_of_the_validation(config, root):
    image_of(root, VAL, 0).write_bytes(b'<html>')
    assert 'cannot be decoded' in refusal(config)


def test_an_ignored_exif_orientation_is_a_warning(config, root, monkeypatch):
    path = image_of(root, TRAIN, 0)
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(path).save(path, exif=exif)
    runner, lines = Runner.from_cfg(config), []
    monkeypatch.setattr(runner.logger, 'warning', lines.append)
    runner.train()
    assert lines[0].startswith(f'"{path}" of "')
    assert 'has an EXIF orientation, which is ignored' in lines[0]
    (warning,) = check(config).warnings
    assert f'EXIF orientation, which is ignored: 1, the first is "{path}"' in warning
    config.train_dataloader.dataset.apply_exif = True
    assert not check(config).warnings


def test_images_of_another_size(tmp_path):
    root = tmp_path / 'coco'
    write_coco(root)
    config = reduced_config(
        'hourglass/hg4_128_coco_256x192.py', root, tmp_path / 'run', 1, 16
    )
    for path in (root / 'val2017').iterdir():
        image = Image.open(path)
        image.resize((60, 40)).save(path)
    assert 'has 60 x 40 pixels, but its boxes are for 120 x 80' in refusal(config)
    report = check(config)
    assert any('images of another size' in each for each in report.warnings)
    assert any('has 60 x 40 pixels' in each for each in report.problems)


# --- The run --------------------------------------------------------------------------


def test_it_changes_neither_random_numbers_nor_weights(config, monkeypatch):
    _enlarge(config)
    config.train_dataloader.batch_size = 11
    found = []

    class Look(Hook):
        def before_train_epoch(self, runner):
            numbers = random.random(), np.random.rand(), float(torch.rand(1))
            weights = runner.model.state_dict().values()
            sums = [float(value.double().sum()) for value in weights]
            found.append((numbers, sums, runner.model.training))

    for checked in (True, False):
        if not checked:
            monkeypatch.setattr(preflight, 'check_before_training', lambda runner: None)
        runner = Runner.from_cfg(copy.deepcopy(config))
        runner.register_hook(Look())
        runner.train()
    assert len(found) == 2 and found[0] == found[1]
