"""The command `fpd`: its help, its options, and what it needs to be installed."""

import argparse
import importlib
import json
import os
import subprocess
import sys

import pytest

from fpd_mmpose.cli import COMMANDS, main
from fpd_mmpose.cli.training import cfg_options
from tests.helpers import ROOT

#: Command lines that are answered without the stack, by what they print.
ANSWERED = [
    (['--help'], 'commands:'),
    (['--version'], ''),
    ([], 'required: COMMAND'),
    (['distil'], "invalid choice: 'distil'"),
    *(([command, '--help'], f'usage: fpd {command}') for command in COMMANDS),
    *(([command, '--nonsense'], 'error: ') for command in COMMANDS),
    (['train', 'c.py', '--launcher', 'x'], "invalid choice: 'x'"),
    (['train', 'c.py', '--cfg-options', 'a'], 'expected KEY=VALUE, got "a"'),
    (['test', 'c.py'], 'required: checkpoint'),
    (['distill', 'c.py', '--epochs', '0'], '--epochs: must be 1 or more, got 0'),
    (['distill', 'c.py', '--teacher', 'a'], '--teacher: expected 2 arguments'),
    (['cache', 'c.py', '--limit', '0'], '--limit: must be 1 or more'),
    (['check', 'c.py', '--all', '--images', '3'], 'not allowed with'),
    (['analyze', 'c.py', '--split', 'x'], "invalid choice: 'x'"),
    (['export', 'c', 'w', 'o', '--fp16', '--int8', 'd'], 'not allowed with'),
    (['predict', 'a.onnx'], 'give STUDENT.onnx IMAGE, or CONFIG CHECKPOINT IMAGE'),
    (['predict', 'a.py', 'b.jpg'], 'give STUDENT.onnx IMAGE, or'),
    (['predict', 'a.onnx', 'b.jpg', '--device', 'cpu'], '--device is an option for'),
    (['predict', 'c', 'w', 'b.jpg', '--threads', '2'], '--threads is an option for'),
    (['report'], 'required: WORK_DIR'),
    (['quickstart', '--people', '0'], '--people: must be 1 or more'),
]
STACK = {'numpy', 'torch', 'mmengine', 'mmcv', 'mmpose', 'mmdet', 'cv2', 'onnxruntime'}

IN_TURN = """
import contextlib, io, json, os, sys
import fpd_mmpose
from fpd_mmpose.cli import main

answers = []
for words in json.loads(sys.argv[1]):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main(words)
            code = None
        except SystemExit as exit:
            code = exit.code
    answers.append([code, text.getvalue()])
names = {}
for name in sys.argv[2:]:
    try:
        names[name] = repr(getattr(fpd_mmpose, name))
    except ImportError as error:
        names[name] = str(error)
modules = sorted({name.partition('.')[0] for name in sys.modules})
policy = os.environ.get('OMP_WAIT_POLICY')
print(json.dumps([answers, modules, names, policy]))
"""


def python(*arguments: str) -> subprocess.CompletedProcess:
    env = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONWARNINGS': 'default'}
    env.pop('OMP_WAIT_POLICY', None)
    return subprocess.run(
        [sys.executable, *arguments], env=env, capture_output=True, text=True
    )


def run_in_turn(command_lines: list, *names: str, bare: bool = False) -> list:
    """Runs command lines in one process, without site-packages if ``bare``."""
    options = ['-S'] if bare else []
    done = python(*options, '-c', IN_TURN, json.dumps(command_lines), *names)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_and_usage_errors_import_nothing_of_the_stack():
    answers, modules, *_ = run_in_turn([words for words, _ in ANSWERED])
    assert not STACK & {*modules}
    for (words, expected), (code, text) in zip(ANSWERED, answers, strict=True):
        is_answer = {'--help', '--version'} & {*words}
        assert code == (0 if is_answer else 2), (words, text)
        assert expected in text, (words, text)


def test_so_do_commands_whose_config_does_not_exist():
    lines = [
        *(['train', 'typo.py'], ['test', 'typo.py', 'w.pth'], ['distill', 'typo.py']),
        *(['cache', 'typo.py'], ['check', 'typo.py'], ['study', 'typo.py']),
        ['analyze', 'typo.py'],
        ['browse', 'typo.py'],
        *(['export', 'typo.py', 'w', 'o.onnx'], ['predict', 'typo.py', 'w', 'a.jpg']),
    ]
    answers, modules, *_ = run_in_turn(lines)
    assert not STACK & {*modules}
    for words, (code, _) in zip(lines, answers, strict=True):
        line = code.splitlines()[-1]
        assert line.startswith('error: config "typo.py" does not exist'), (words, code)


def test_help_answers_at_once():
    resource = pytest.importorskip('resource')

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    seconds = []
    for _ in range(2):  # the first writes the compiled modules
        before = used()
        done = python('-c', 'from fpd_mmpose.cli import main; main()', '--help')
        seconds.append(used() - before)
        assert done.stdout.startswith('usage: fpd COMMAND')
    assert min(seconds) < 0.5


@pytest.fixture(scope='module')
def bare() -> list:
    config = 'quickstart/hg1_32_drawn.py'
    needed = {
        'train': [config],
        'test': [config, 'w.pth'],
        'distill': [config],
        'cache': [config],
        'check': [config],
        'analyze': [config],
        'browse': [config],
        'detect': ['folder', 'out.json'],
        'convert': ['a.pth', 'b.pth'],
        'export': [config, 'w.pth', 'out.onnx'],
        'predict': [config, 'w.pth', 'a.jpg'],
        'compare': ['--run', 'a=b'],
        'report': ['folder'],
        'study': ['quickstart/study.py'],
        'quickstart': [],
    }
    assert needed.keys() == COMMANDS.keys()
    lines = [[command, *words] for command, words in needed.items()]
    lines.append(['predict', 'a.onnx', 'a.jpg'])
    names = ('distill', 'FPDDistiller', 'check', 'PoseSession', 'UserError')
    return run_in_turn(lines, *names, bare=True)


class TestWithoutOpenMMLab:
    def test_each_command_says_in_one_line_what_to_install(self, bare):
        *answers, (exported, _) = bare[0]
        for code, text in answers:
            hint, line = code.splitlines()
            assert line.startswith('error: fpd_mmpose needs '), (code, text)
            assert 'not installed: run `' in line and 'FPD_TRACEBACK' in hint
        assert 'pip install "fpd-mmpose[deploy]"' in exported

    def test_so_does_the_package(self, bare):
        names = bare[2]
        for name in ('distill', 'FPDDistiller', 'check'):
            assert 'which is not installed: run `' in names[name]
            assert '`bash tools/setup_env.sh`' in names[name]
        assert 'pip install "fpd-mmpose[deploy]"' in names['PoseSession']
        assert names['UserError'] == "<class 'fpd_mmpose.errors.UserError'>"

    def test_waiting_threads_of_the_quick_start_sleep(self, bare):
        assert bare[3] == 'PASSIVE'


def parsed(command: str, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module = importlib.import_module(f'fpd_mmpose.cli.{COMMANDS[command][0]}')
    getattr(module, command)(parser)
    return parser.parse_args(words)


class TestEarlierNamesOfOptions:
    @pytest.mark.parametrize(
        ('command', 'words', 'old', 'new'),
        [
            ('cache', ['c'], ['--flip'], ['--flip-test']),
            ('detect', ['i', 'o'], ['--config', 'x'], ['--det-config', 'x']),
            ('detect', ['i', 'o'], ['--weights', 'x'], ['--det-checkpoint', 'x']),
            ('detect', ['i', 'o'], ['--score-thr', '0.7'], ['--bbox-thr', '0.7']),
            ('compare', ['--run', 'a'], ['--teacher', 'x'], ['--teacher-run', 'x']),
            ('compare', ['--run', 'a'], ['--seeds'], ['--mean']),
        ],
    )
    def test_still_work_but_are_not_shown(self, command, words, old, new, capsys):
        assert parsed(command, *words, *old) == parsed(command, *words, *new)
        assert parsed(command, *words) != parsed(command, *words, *new)
        with pytest.raises(SystemExit):
            main([command, '--help'])
        shown = capsys.readouterr().out.split()
        assert new[0] in ' '.join(shown)
        assert old[0] not in [word.strip('[],') for word in shown]


def test_config_options_are_read_as_mmpose_reads_them():
    words = [
        '--cfg-options',
        'a.b=-1',
        'c=[1,(2,x)]',
        '--cfg-options',
        'd=e=f',
        'g=1,2',
    ]
    found = cfg_options(parsed('cache', 'c', *words))
    assert found == {'a.b': -1, 'c': [1, (2, 'x')], 'd': 'e=f', 'g': [1, 2]}


@pytest.mark.process
@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_reader_that_has_enough_ends_the_command_quietly(unbuffered):
    code = """
import fpd_mmpose.cli as cli

def show(parser):
    "Prints much."
    return lambda args: print('much ' * 100_000)

cli.COMMANDS['show'] = ('data', '')
cli.importlib.import_module('fpd_mmpose.cli.data').show = show
cli.main(['show'])
"""
    done = subprocess.run(
        ['bash', '-c', 'set -o pipefail; "$0" -c "$1" | true', sys.executable, code],
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONUNBUFFERED': unbuffered},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, '')
