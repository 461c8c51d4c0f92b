"""Changing how long a config trains scales the schedules that count the same."""

import pytest
from mmengine.config import Config

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.schedules import scale_length, set_epochs


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        (dict(type='MultiStepLR', milestones=[6, 9]), dict(milestones=[2, 3])),
        (dict(type='CosineAnnealingLR', T_max=12, end=12), dict(T_max=4, end=4)),
        (dict(type='OneCycleLR', total_steps=12), dict(total_steps=4)),
        (dict(type='StepLR', step_size=3), dict(step_size=1)),
        (dict(type='CosineRestartLR', periods=[3, 9]), dict(periods=[1, 3])),
        (dict(type='LinearLR', by_epoch=False, end=500), dict(end=500)),
    ],
    ids=lambda value: value.get('type'),
)
def test_a_schedule_is_scaled(before, after):
    train_cfg = dict(by_epoch=True, max_epochs=12)
    config = Config(dict(train_cfg=train_cfg, param_scheduler=[before]))
    set_epochs(config, 4)
    assert config.train_cfg.max_epochs == 4
    (scheduler,) = config.param_scheduler
    assert {name: scheduler[name] for name in after} == after


def test_a_single_schedule_may_stand_alone():
    scheduler = dict(type='StepLR', step_size=2)
    config = Config(dict(train_cfg=dict(max_epochs=4), param_scheduler=scheduler))
    set_epochs(config, 6)
    assert config.param_scheduler.step_size == 3


def test_the_schedule_of_the_quick_start_ends_with_the_run():
    config = load_config('configs/quickstart/hg2_64_drawn.py')
    set_epochs(config, 2)
    assert config.param_scheduler[0].total_steps == 2


class TestAFactor:
    def scaled(self, train_cfg, factor, **scheduler) -> Config:
        config = Config(dict(train_cfg=train_cfg, param_scheduler=[scheduler]))
        scale_length(config, factor)
        return config

    def test_of_epochs(self):
        config = self.scaled(
            dict(max_epochs=140), 2, type='MultiStepLR', milestones=[90, 120]
        )
        assert config.train_cfg.max_epochs == 280
        assert config.param_scheduler[0].milestones == [180, 240]

    def test_of_steps(self):
        config = self.scaled(
            dict(by_epoch=False, max_iters=600),
            0.5,
            type='OneCycleLR',
            total_steps=600,
            by_epoch=False,
        )
        assert config.train_cfg.max_iters == 300
        assert config.param_scheduler[0].total_steps == 300

    def test_never_ends_with_nothing(self):
        config = self.scaled(dict(max_epochs=2), 0.01, type='StepLR', step_size=2)
        assert config.train_cfg.max_epochs == 1

    def test_needs_something_to_scale(self):
        with pytest.raises(UserError, match='neither max_epochs nor max_iters'):
            scale_length(Config(dict(train_cfg=None)), 2)
