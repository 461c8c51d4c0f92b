"""Runs targets and prints what became of their cases."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from fuzzing.harness import Outcome, fuzz
from fuzzing.targets import TARGETS

_ROW = '{:22} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9} {:>8}'
_HEADINGS = (
    'target', 'cases', 'accepted', 'refused', 'failed', 'ms/case', 'slowest', 'memory',
)  # fmt: skip


def run(
    names: Sequence[str], cases: int, seed: int, failures: Path, processes: int = 1
) -> bool:
    """Runs targets, several side by side; returns whether no case failed."""
    print(_ROW.format(*_HEADINGS), flush=True)
    total = Outcome()
    fuzzed = partial(_fuzzed, cases=cases, seed=seed, failures=failures)
    with ProcessPoolExecutor(processes, get_context('fork')) as pool:
        for name, outcome in zip(names, pool.map(fuzzed, names), strict=True):
            print(_as_row(name, outcome), flush=True)
            for kind, count in outcome.failures.most_common():
                size, number = outcome.smallest.get(kind, (0, 0))
                print(f'  {count} x {kind} (case {number}, {size:,} bytes)', flush=True)
            total.add(outcome)
            total.seconds += outcome.seconds
    print(_as_row('all', total))
    if total.failures:
        print(f'files that fail are in "{failures}"')
    return not total.failures


def _fuzzed(name: str, cases: int, seed: int, failures: Path) -> Outcome:
    target = TARGETS[name]
    return fuzz(name, target, max(1, cases // target.cost), seed, failures)


def _as_row(name: str, outcome: Outcome) -> str:
    return _ROW.format(
        name,
        f'{outcome.cases:,}',
        f'{outcome.accepted:,}',
        f'{outcome.refused:,}',
        f'{outcome.failures.total():,}',
        f'{1000 * outcome.seconds / max(1, outcome.cases):.2f}',
        f'{1000 * outcome.slowest[0]:.0f} ms',
        f'{outcome.memory >> 20} MB',
    )
