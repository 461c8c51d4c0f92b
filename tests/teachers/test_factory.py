"""A config chooses its teacher by the fields of ``model.teacher``."""

import copy

import pytest

from fpd_mmpose.teachers.factory import build_live_teacher, build_teacher
from fpd_mmpose.teachers.live import LiveTeacher
from fpd_mmpose.teachers.stored import StoredTeacher
from tests.helpers.refusals import refused

NETWORK = dict(config='teacher.py', checkpoint='teacher.pth')


def test_a_network_is_live_and_a_cache_is_stored():
    assert type(build_teacher(NETWORK)) is LiveTeacher
    assert type(build_teacher(dict(cache='teacher.sqlite'))) is StoredTeacher
    assert type(build_teacher(dict(NETWORK, cache='teacher.sqlite'))) is StoredTeacher


@pytest.mark.parametrize('cache', [None, ''])
def test_an_empty_cache_does_not_count(cache):
    assert type(build_teacher(dict(NETWORK, cache=cache))) is LiveTeacher


def test_the_network_behind_a_cache_can_be_built():
    teacher = build_live_teacher(
        dict(NETWORK, joint_map=[1, 0], cache='teacher.sqlite')
    )
    assert teacher.checkpoint == 'teacher.pth' and teacher.joint_map == [1, 0]


def test_no_teacher_is_copied_with_its_student():
    for settings in (NETWORK, dict(cache='teacher.sqlite')):
        teacher = build_teacher(settings)
        assert copy.deepcopy(teacher) is teacher


def test_the_two_kinds_do_not_inherit_from_each_other():
    live, stored = (build_teacher(s) for s in (NETWORK, dict(cache='teacher.sqlite')))
    assert not isinstance(live, StoredTeacher) and not isinstance(stored, LiveTeacher)
    assert vars(live).keys() - vars(stored).keys() == {'model', 'output', 'speed'}
    assert vars(stored).keys() - vars(live).keys() == {'cache', '_prepared'}


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({}, 'model.teacher needs config and checkpoint'),
        (dict(config='teacher.py'), 'model.teacher needs checkpoint'),
        (dict(NETWORK, chekpoint='x'), 'model.teacher has no field "chekpoint"'),
        (dict(cache='x', joints=[0]), 'has no field "joints": there are config'),
        (dict(cache='x', speed='fast'), 'model.teacher.speed must be exact'),
        (None, 'model.teacher must be a dict with config'),
        ('teacher.py', "must be a dict with .* got 'teacher.py'"),
    ],
)
def test_errors_of_the_settings(settings, message):
    assert pytest.raises(ValueError, build_teacher, settings).match(message)
    assert refused(build_teacher, settings)
