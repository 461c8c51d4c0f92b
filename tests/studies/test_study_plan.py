"""What a study file says, and the configs of its runs."""

from pathlib import Path

import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.studies import read_study

PLAIN = "plain=dict(config='quickstart/hg1_32_drawn.py')"
TEACHER = "teacher=dict(config='quickstart/hg2_64_drawn.py', once=True)"
FPD = "fpd=dict(like='plain', teacher='teacher')"


@pytest.fixture
def read(tmp_path):
    def write(*arms: str, more: str = ''):
        path = tmp_path / 'study.py'
        path.write_text(f'arms = dict({", ".join(arms)})\n{more}\n')
        return read_study(path)

    return write


def test_all_arms_of_a_seed_come_before_the_next_seed(read):
    plan = read(TEACHER, PLAIN, more='seeds = [3, 5]')
    assert plan.runs() == [('teacher', 3), ('plain', 3), ('plain', 5)]


def test_an_arm_has_the_fields_of_another_where_it_sets_none(read):
    plan = read(
        "plain=dict(config='a.py', label='Plain', options={'x': 1, 'y': 1})",
        "long=dict(like='plain', length=2, options={'y': 2})",
    )
    long = plan.arms['long']
    assert (long.config, long.length, long.label) == ('a.py', 2, 'long')
    assert long.options == {'x': 1, 'y': 2}


class TestTheConfigOfARun:
    out = Path('out')

    def config(self, plan, name, seed=0, length=1):
        return plan.config(name, seed, self.out, length)

    def test_an_arm_with_a_teacher_is_a_distillation(self, read):
        plan = read(TEACHER, PLAIN, FPD)
        model = self.config(plan, 'fpd').model
        assert model.type == 'FPDDistiller'
        assert model.teacher.checkpoint == str(self.out / 'teacher/weights.pth')

    def test_the_teacher_and_the_start_have_the_same_seed(self, read):
        plan = read(
            PLAIN, "own=dict(like='plain', teacher='plain', start_from='plain')"
        )
        config = self.config(plan, 'own', seed=7)
        weights = str(self.out / 'plain/seed_7/weights.pth')
        assert config.model.teacher.checkpoint == config.load_from == weights
        assert plan.needed_by('own', 7) == [('plain', 7)]

    def test_the_seed_can_be_part_of_an_option(self, read):
        plan = read(
            PLAIN, more="options = {'train_dataloader.dataset.ann_file': '{seed}.json'}"
        )
        config = self.config(plan, 'plain', seed=7)
        assert config.train_dataloader.dataset.ann_file == '7.json'
        assert config.randomness.seed == 7

    def test_given_weights_are_scored_alike_with_any_seed(self, read):
        plan = read(
            "given=dict(config='quickstart/hg2_64_drawn.py', checkpoint='a.pth')"
        )
        first, second = (self.config(plan, 'given', seed) for seed in (0, 3))
        assert first.pretty_text == second.pretty_text

    def test_a_longer_arm_has_a_longer_schedule(self, read):
        plan = read(PLAIN)
        once, twice = (self.config(plan, 'plain', length=n) for n in (1, 2))
        (before, after) = (
            (c.train_cfg.get('max_epochs') or c.train_cfg.max_iters)
            for c in (once, twice)
        )
        assert after == 2 * before
        assert (
            twice.param_scheduler[0].total_steps
            == 2 * once.param_scheduler[0].total_steps
        )

    def test_an_arm_timed_by_another_waits_for_its_first_run(self, read):
        plan = read(
            TEACHER,
            PLAIN,
            FPD,
            "as_long=dict(like='plain', time_of='fpd')",
            more='seeds = [0, 1]',
        )
        assert plan.needed_by('as_long', 1) == [('fpd', 0), ('plain', 0)]


@pytest.mark.parametrize(
    ('arms', 'more', 'expected'),
    [
        ((), '', 'has no `arms`'),
        ((PLAIN,), 'seed = 3', 'there is no field "seed"'),
        ((PLAIN,), "baselines = ['none']", 'the baseline "none" is not an arm'),
        ((PLAIN,), 'seeds = [0, 0]', 'seeds must be different whole numbers'),
        ((PLAIN,), 'seeds = [-1]', 'seeds must be different whole numbers'),
        (("a=dict(steps=3, config='b.py')",), '', 'arm "a": there is no field "steps"'),
        (('a=dict()',), '', 'neither `config` nor `like`'),
        ((FPD, PLAIN), '', 'like "plain" is not an arm before it'),
        ((PLAIN, FPD), '', 'teacher "teacher" is not an arm before it'),
        ((PLAIN, "a=dict(config='b.py', time_of='plain')"), '', 'time_of needs `like`'),
        ((PLAIN, "a=dict(like='plain', stored=True)"), '', 'stored needs `teacher`'),
        ((PLAIN, "a=dict(like='plain', length=-1)"), '', 'length must not be negative'),
        (("**{'a/b': dict(config='c.py')}",), '', 'the name must be letters'),
    ],
)
def test_mistakes_are_named(read, arms, more, expected):
    with pytest.raises(UserError, match=expected):
        read(*arms, more=more)
