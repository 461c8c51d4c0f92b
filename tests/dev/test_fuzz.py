"""Damaged files of all kinds are read, or refused in one line that names them."""

import runpy
import sys
from pathlib import Path

import pytest

from fpd_mmpose.errors import UserError
from fuzzing.harness import case, fuzz
from fuzzing.mutations import damaged_bytes, damaged_value
from fuzzing.report import run
from fuzzing.subjects import Subject, Target
from fuzzing.targets import TARGETS
from tests.helpers import ROOT
from tests.helpers.forked import Forked

#: Cases of the fastest targets, in about a minute for all.
CASES = 1000


@pytest.mark.parametrize('name', TARGETS)
def test_no_damaged_file_gets_through(name, tmp_path):
    target = TARGETS[name]
    outcome = fuzz(name, target, max(5, CASES // target.cost), 0, tmp_path)
    assert not outcome.failures, outcome.smallest
    assert outcome.accepted + outcome.refused == outcome.cases


def reader(read) -> Target:
    """A target whose reader has a fault for files that begin with a 0."""

    def prepare(folder: Path) -> Subject:
        path = folder / 'file.bin'
        return Subject(path, [b'1'], lambda rng: rng.choice((b'0', b'1')), read(path))

    return Target(prepare)


def crash(path):
    import os

    return lambda: path.read_bytes() == b'1' or os.abort()


def fail(path):
    return lambda: path.read_bytes() == b'1' or {}['x']


def not_a_number(path):
    return lambda: float(path.read_bytes() == b'1' or 'nan')


def unnamed(path):
    def read():
        if path.read_bytes() != b'1':
            raise UserError('it is damaged')

    return read


def greedy(path):
    return lambda: path.read_bytes() == b'1' or len(bytes(3 << 30))


@pytest.mark.parametrize(
    'read, kind',
    [
        (crash, 'process ended with -6'),
        (fail, 'KeyError in other code'),
        (not_a_number, 'returns a number that is not finite'),
        (unnamed, 'message does not name the file'),
        (greedy, 'MemoryError in other code'),
    ],
)
def test_faults_are_found_and_kept(read, kind, tmp_path):
    outcome = fuzz('mine', reader(read), 6, 0, tmp_path)
    (found,) = outcome.failures
    assert found.startswith(kind) and outcome.cases == 6
    (kept,) = (tmp_path / 'mine').glob('*.bin')
    assert kept.read_bytes() == b'0'


def test_a_case_depends_on_its_number_alone():
    value = dict(a=[1, 2, 3], b='text')
    for damage, given in ((damaged_value, value), (damaged_bytes, b'content' * 9)):
        first = [repr(damage(case('t', 0, n), given)) for n in range(50)]
        again = [repr(damage(case('t', 0, n), given)) for n in reversed(range(50))]
        assert first == again[::-1] and len(set(first)) > 25
    assert value == dict(a=[1, 2, 3], b='text')


def test_results_do_not_depend_on_how_many_run_side_by_side(tmp_path, capsys):
    tables = []
    for processes in (1, 2):
        assert run(['log', 'config_text', 'journal'], 20, 0, tmp_path, processes)
        lines = capsys.readouterr().out.splitlines()
        tables.append([line.split()[:5] for line in lines])  # not the times
    assert tables[0] == tables[1] and len(tables[0]) == 5


def run_command(others: Path) -> None:
    """Does what `python dev/fuzz.py --list` does beside packages of other projects."""
    installed = [path for path in sys.path if not Path(path, 'fuzzing').is_dir()]
    installed = [path for path in installed if not Path(path, 'tests/helpers').is_dir()]
    sys.path[:] = [str(ROOT / 'dev'), str(others), *installed]
    for name in [*sys.modules]:
        if name.split('.')[0] in ('tests', 'fuzzing'):
            del sys.modules[name]
    sys.argv = ['fuzz.py', '--list']
    runpy.run_path(str(ROOT / 'dev/fuzz.py'), run_name='__main__')


def test_the_command_runs_where_another_package_is_called_tests(tmp_path):
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'tests/__init__.py').touch()
    process = Forked(run_command, tmp_path, output=tmp_path)
    process.start()
    assert process.finished().stdout.split() == [*TARGETS]
