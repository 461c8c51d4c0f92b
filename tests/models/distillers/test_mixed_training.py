"""Labeled and unlabeled people train together in the stock Runner."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tests.helpers.reduced import reduced_config, reduced_teacher

NAME = 'fpd/hg4_128_fpd_unlabeled_mpii.py'


class RecordPeople(Hook):
    """Records the people of each batch as (epoch, labeled, unlabeled)."""

    def __init__(self):
        self.batches = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        samples = data_batch['data_samples']
        groups = [
            [one.img_path for one in samples if ('gt_fields' in one) == labeled]
            for labeled in (True, False)
        ]
        self.batches.append((runner.epoch, *groups))


@pytest.fixture
def config(mpii_root, tmp_path) -> Config:
    config = reduced_config(NAME, mpii_root, tmp_path / 'run', 1, 8, epochs=2)
    config.load_from = None
    config.model.teacher = reduced_teacher(tmp_path)
    config.custom_hooks = []
    return config


def train(config: Config, name: str, **settings) -> tuple[Runner, list]:
    config = copy.deepcopy(config)
    config.experiment_name = config.visualizer.name = f'mixed_{name}'
    config.work_dir = f'{config.work_dir}_{name}'
    config.update(settings)
    runner = Runner.from_cfg(config)
    note = RecordPeople()
    runner.register_hook(note)
    runner.train()
    return runner, note.batches


def weights(runner: Runner) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()])


def test_an_epoch_sees_each_labeled_person_once_and_as_many_others(config):
    _, batches = train(config, 'once')
    assert len(batches) == 12
    for epoch in range(2):
        seen = [one for at, labeled, _ in batches if at == epoch for one in labeled]
        assert len(seen) == len(set(seen)) == 12
    assert all(len(others) == 2 for _, _, others in batches)


def test_a_seed_gives_the_same_batches_and_weights(config):
    first, second = (train(config, f'again_{number}') for number in range(2))
    assert first[1] == second[1]
    assert torch.equal(weights(first[0]), weights(second[0]))
    other = train(config, 'other', randomness=dict(seed=1))
    assert other[1] != first[1]


def test_a_resumed_run_goes_on_with_the_same_people(config):
    _, whole = train(config, 'whole')
    half = copy.deepcopy(config)
    half.train_cfg.max_epochs = 1
    train(half, 'halves')
    _, rest = train(config, 'halves', resume=True)
    assert rest == whole[6:]


def test_the_log_shows_both_distillation_terms(config):
    runner, _ = train(config, 'logged')
    scalars = runner.message_hub.log_scalars
    assert {'train/kd', 'train/kd_unlabeled', 'train/pose', 'val/PCKh/Mean'} <= set(
        scalars
    )
