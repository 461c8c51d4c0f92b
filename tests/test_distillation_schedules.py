"""Changing the number of epochs scales every schedule that counts in epochs."""

import pytest
from mmengine.config import Config

from fpd_mmpose.config import load_config
from fpd_mmpose.distillation import set_epochs


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


def test_the_schedule_of_the_quick_start_ends_with_the_run():
    config = load_config('configs/quickstart/hg1_32_more_drawn.py')
    set_epochs(config, 2)
    assert config.param_scheduler[0].total_steps == 2
