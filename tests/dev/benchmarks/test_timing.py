"""Ways that are timed in turn."""

import time

from benchmarks.timing import time_in_bursts


def test_a_slow_way_is_called_once_a_round():
    calls = []

    def slow():
        calls.append(1)
        time.sleep(0.02)

    (timed,) = time_in_bursts([('slow', slow)], 3, least=0.01, progress=str)
    assert len(calls) == 3
    assert timed.name == 'slow'
    assert len(timed.seconds) == 3
    assert timed.median >= 0.02


def test_the_first_call_of_a_row_is_not_counted():
    calls = []

    def cold_at_first():
        time.sleep(0.001 if calls else 0.05)
        calls.append(1)

    (timed,) = time_in_bursts([('way', cold_at_first)], 1, least=0.06)
    assert len(calls) > 2
    assert timed.seconds[0] < 0.05


def test_all_ways_run_in_each_round():
    order = []
    ways = [(name, lambda name=name: order.append(name)) for name in 'ab']
    timed = time_in_bursts(ways, 2, least=0.0, progress=order.append)
    assert [one.name for one in timed] == ['a', 'b']
    assert order == ['a', 'b', 'round 1 of 2', 'a', 'b', 'round 2 of 2']
