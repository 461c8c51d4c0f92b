"""The log says how fast a run trains, and the teacher's share of it."""

import json
import time
from pathlib import Path

import pytest

from fpd_mmpose.teachers.live import LiveTeacher
from tests.helpers.reduced import reduced_config, reduced_distiller, run

ADDED = {'people_per_second', 'teacher_share'}


def steps_of(config) -> list[dict]:
    config.default_hooks.logger.interval = 2
    runner = run(config)
    (log,) = Path(runner.work_dir).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if 'loss' in line]


def test_the_values_are_those_of_the_clock(mpii_root, tmp_path, monkeypatch):
    start = LiveTeacher.start
    calls = []

    def slow(self, *args):
        time.sleep(0.2)
        calls.append(self)
        return start(self, *args)

    monkeypatch.setattr(LiveTeacher, 'start', slow)
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8, epochs=2)
    steps = steps_of(config)
    assert [step['step'] for step in steps] == [2, 5]
    for step in steps:
        assert step['people_per_second'] == pytest.approx(4 / step['time'])
        assert 0.2 <= step['teacher_share'] * step['time'] < step['time']
    assert len(calls) == 6 and 'start' not in vars(calls[0])


def test_plain_training_has_no_teacher(mpii_root, tmp_path):
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 1, 8)
    (step,) = steps_of(config)
    assert ADDED & step.keys() == {'people_per_second'}
