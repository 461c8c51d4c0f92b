"""Ways that are timed in turn."""

from types import SimpleNamespace

import pytest

from benchmarks import timing
from benchmarks.timing import time_in_bursts


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """Moves where a test says so."""
    clock = SimpleNamespace(now=0.0)
    time = SimpleNamespace(perf_counter=lambda: clock.now)
    monkeypatch.setattr(timing, 'time', time)
    return clock


def test_a_slow_way_is_called_once_a_round(clock):
    calls = []

    def slow():
        calls.append(1)
        clock.now += 2

    (timed,) = time_in_bursts([('slow', slow)], 3, least=1, progress=str)
    assert len(calls) == 3
    assert timed.name == 'slow'
    assert timed.seconds == [2, 2, 2]
    assert timed.median == 2


def test_the_first_call_of_a_row_is_not_counted(clock):
    calls = []

    def cold_at_first():
        clock.now += 1 if calls else 50
        calls.append(1)

    (timed,) = time_in_bursts([('way', cold_at_first)], 1, least=60)
    assert len(calls) == 11
    assert timed.seconds == [1]


def test_all_ways_run_in_each_round(clock):
    order = []
    ways = [(name, lambda name=name: order.append(name)) for name in 'ab']
    timed = time_in_bursts(ways, 2, least=0.0, progress=order.append)
    assert [one.name for one in timed] == ['a', 'b']
    assert order == ['a', 'b', 'round 1 of 2', 'a', 'b', 'round 2 of 2']
