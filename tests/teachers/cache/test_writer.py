"""The teacher runs once over every person, even if the command is interrupted."""

import copy
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from fpd_mmpose.cli import main as fpd
from fpd_mmpose.teachers.cache import writer
from fpd_mmpose.teachers.cache.maps import pack_maps, unpack_levels
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.writer import CacheWriter
from tests.helpers.forked import Forked
from tests.helpers.refusals import refused
from tests.helpers.rounding import assert_same
from tests.helpers.stored_maps import small_config, store_maps

main = partial(fpd, command='cache')


def maps_of(path) -> dict:
    store = HeatmapStore(path)
    people = zip(store.keys(), store.read(list(store.keys().values())), strict=True)
    return {
        key: (unpack_levels(one.maps, store.settings['shape']) * 1.0 - one.zero)
        * one.step
        for key, one in people
    }


def refusal(*args, **kwargs) -> str:
    return refused(CacheWriter, *args, **kwargs)


@pytest.fixture
def config(mpii_root, tmp_path) -> Config:
    return small_config(mpii_root, tmp_path)


@pytest.fixture
def dumped(config, tmp_path) -> str:
    path = str(tmp_path / 'config.py')
    config.dump(path)
    return path


def arguments(dumped: str, out: Path) -> list[str]:
    options = ('--device', 'cpu', '--batch-size', '2', '--workers', '0')
    return [dumped, '--out', str(out), *options]


def test_every_person_is_stored_once(config, tmp_path):
    path = tmp_path / 'cache.sqlite'
    store_maps(config, path)
    before = maps_of(path)
    assert len(before) == 12
    store_maps(config, path)
    assert len(maps_of(path)) == 12
    assert [done for _, done in HeatmapStore(path).sources().values()] == [True]


def test_a_killed_command_continues_where_it_stopped(
    config, dumped, tmp_path, monkeypatch
):
    whole, path = tmp_path / 'whole.sqlite', tmp_path / 'killed.sqlite'
    store_maps(config, whole)
    calls = []

    def pack_or_die(maps):
        calls.append(1)
        if len(calls) == 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return pack_maps(maps)

    with monkeypatch.context() as patch:
        patch.setattr(writer, 'pack_maps', pack_or_die)
        killed = Forked(main, arguments(dumped, path), output=tmp_path)
        killed.start()
    assert killed.finished().exitcode == -signal.SIGKILL, killed.stderr
    before = maps_of(path)
    # Three batches of 2, and nothing of the fourth.
    assert len(before) == 6
    assert [done for _, done in HeatmapStore(path).sources().values()] == [False]
    store_maps(config, path)
    found, expected = maps_of(path), maps_of(whole)
    assert set(found) == set(expected)
    for key, maps in expected.items():
        np.testing.assert_allclose(found[key], maps, atol=np.ptp(maps) / 200)


def test_simultaneous_commands_share_the_work(config, dumped, tmp_path):
    whole, path = tmp_path / 'whole.sqlite', tmp_path / 'shared.sqlite'
    store_maps(config, whole)
    running = [Forked(main, arguments(dumped, path), output=tmp_path) for _ in range(2)]
    for process in running:
        process.start()
    for process in running:
        assert process.finished().exitcode == 0, process.stderr
        assert '12 people' in process.stdout
    found, expected = maps_of(path), maps_of(whole)
    assert set(found) == set(expected)
    for key, maps in expected.items():
        np.testing.assert_allclose(found[key], maps, atol=np.ptp(maps) / 200)


def test_a_limited_run_is_not_marked_as_finished(config, tmp_path):
    path = tmp_path / 'cache.sqlite'
    CacheWriter(config, path).run(limit=3)
    assert len(maps_of(path)) == 3
    assert [done for _, done in HeatmapStore(path).sources().values()] == [False]


def test_heatmaps_are_averaged_as_in_the_flip_test(config, tmp_path):
    plain = store_maps(config, tmp_path / 'plain.sqlite')
    both = store_maps(config, tmp_path / 'both.sqlite', flip=True)
    _, crops, _ = plain.people[3]
    pairs = plain.flip_indices
    mirrored = plain.heatmaps(crops.flip(-1))[:, pairs].flip(-1)
    # shift_heatmap of the hourglasses' test_cfg.
    mirrored[..., 1:] = mirrored[..., :-1].clone()
    expected = (plain.heatmaps(crops) + mirrored) / 2
    assert_same(both.heatmaps(crops), expected)


class TestErrorsNameADifferenceFromTheFile:
    @pytest.fixture
    def path(self, config, tmp_path) -> Path:
        store_maps(config, tmp_path / 'cache.sqlite')
        return tmp_path / 'cache.sqlite'

    def test_zooms(self, config, path):
        message = refusal(config, path, zooms=(1, 1.5))
        assert 'zooms was [1.0, 1.25] and is [1.0, 1.5]' in message

    def test_flip(self, config, path):
        assert "flip was False and is 'shifted'" in refusal(config, path, flip=True)

    def test_weights(self, config, path):
        weights = torch.load(config.model.teacher.checkpoint)
        weights['backbone.stem.0.bias'] += 1
        torch.save(weights, config.model.teacher.checkpoint)
        assert 'teacher weights differ' in refusal(config, path)

    def test_config(self, config, path):
        config.model.teacher.config.model.test_cfg = dict(flip_test=False)
        assert 'teacher config differ' in refusal(config, path)

    def test_box(self, config, path):
        config.train_dataloader.dataset.pipeline[1].padding = 1.5
        message = refusal(config, path)
        assert 'box' in message and '1.5' in message

    def test_input_size(self, config, path):
        for step in config.train_dataloader.dataset.pipeline:
            if step['type'] == 'FPDTopdownAffine':
                step['input_size'] = (128, 128)
        assert 'input size was [64, 64] and is [128, 128]' in refusal(config, path)


class TestErrorsOfUnusableConfigs:
    @pytest.mark.parametrize('zooms', [(), (0.5, 0.9), (-1, 1), (1, float('nan'))])
    def test_zooms_that_do_not_show_the_box(self, config, tmp_path, zooms):
        assert 'zooms must be positive' in refusal(config, tmp_path / 'c', zooms=zooms)

    def test_config_without_teacher(self, config, tmp_path):
        plain = copy.deepcopy(config)
        del plain.model['teacher']
        message = refusal(plain, tmp_path / 'c')
        assert 'model.teacher needs config and checkpoint' in message

    def test_pipeline_without_crop(self, config, tmp_path):
        dataset = config.train_dataloader.dataset
        dataset.pipeline = [s for s in dataset.pipeline if 'Affine' not in s['type']]
        assert 'needs one step of type FPDTopdownAffine' in refusal(
            config, tmp_path / 'c'
        )

    def test_config_without_training_data(self, config, tmp_path):
        bare = Config(dict(model=config.model))
        assert 'no train_dataloader' in refusal(bare, tmp_path / 'c')
