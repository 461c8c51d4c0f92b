"""`fpd train` and `fpd test` run MMPose's own scripts."""

import argparse
import runpy
import sys
from runpy import run_path

import pytest

from fpd_mmpose.cli import main, stock_tools, training
from fpd_mmpose.config import config_root
from tests.helpers import ROOT
from tests.helpers.refusals import exit_line

CONFIG = 'hourglass/hg4_128_mpii.py'


@pytest.fixture()
def called(monkeypatch) -> list:
    """Catches the script instead of running it."""
    calls = []

    def run_path(path: str, run_name: str) -> None:
        calls.append((path, list(sys.argv)))

    monkeypatch.setattr(runpy, 'run_path', run_path)
    monkeypatch.setattr(sys, 'argv', ['untouched'])
    return calls


def on(monkeypatch, device: str) -> None:
    monkeypatch.setattr(stock_tools, 'get_device', lambda: device)


class Caught(Exception):
    """Carries the parser of a script."""


def stock_parser(name: str, monkeypatch) -> argparse.ArgumentParser:
    def parse_args(parser: argparse.ArgumentParser) -> None:
        raise Caught(parser)

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
        with pytest.raises(Caught) as caught:
            run_path(str(stock_tools.stock_script(name)), run_name='__main__')
    return caught.value.args[0]


def options_of(parser: argparse.ArgumentParser) -> dict:
    """What a command line of the parser can be, without the texts of its help."""
    return {
        action.dest: (
            sorted(action.option_strings),
            action.nargs,
            action.const,
            action.default or None,
            action.choices and sorted(action.choices),
            # argparse reads a file name without a type as text.
            action.type if action.type in (int, float) else str,
        )
        for action in parser._actions
    }


class TestTheOptionsAreThoseOfMMPose:
    @pytest.mark.parametrize('name', ['train', 'test'])
    def test_of_the_installed_version(self, name, monkeypatch):
        ours = argparse.ArgumentParser()
        getattr(training, name)(ours)
        found = options_of(ours)
        if name == 'test':
            del found['multi_scale']
        expected = options_of(stock_parser(name, monkeypatch))
        assert found == expected
        assert {'config', 'work_dir', 'cfg_options', 'launcher'} <= found.keys()

    @pytest.mark.parametrize(
        ('name', 'arguments'),
        [
            ('train', []),
            ('train', ['--resume', '--amp', '--no-validate', '--auto-scale-lr']),
            ('train', ['--resume', 'last.pth', '--show', '--interval', '3']),
            ('train', ['--work-d', 'with space', '--launcher', 'slurm']),
            ('train', ['--local-rank=2', '--wait-time', '0.5', '--show-dir=-x']),
            ('train', ['--cfg-options', 'a.b=-1', 'c=[1,2]', '--cfg-options', 'd=e=f']),
            ('test', ['last.pth', '--out', 'a.json', '--dump', 'b.pkl', '--badcase']),
        ],
    )
    def test_and_reach_its_script(self, name, arguments, called, monkeypatch):
        stock = stock_parser(name, monkeypatch)
        on(monkeypatch, 'cuda')
        main([name, CONFIG, *arguments])
        ((script, argv),) = called
        assert script.endswith(f'tools/{name}.py') and 'mmpose' in script
        assert stock.parse_args(argv[1:]) == stock.parse_args(
            [str(config_root() / CONFIG), *arguments]
        )


@pytest.mark.parametrize('given', [CONFIG, f'configs/{CONFIG}'])
def test_packaged_configs_are_found_from_anywhere(given, called, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    main(['train', given])
    assert called[0][1][1] == str(ROOT / 'configs' / CONFIG)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (None, 'config "mine.py" does not exist: looked in '),
        ('model = dict(', 'config "mine.py" cannot be read: SyntaxError: '),
        ('_base_ = "gone.py"', 'config "mine.py" cannot be read: FileNotFoundError: '),
        ('work_dir = "x"', 'has no `model`'),
        (
            'custom_imports = dict(imports=["gone.losses"])',
            "No module named 'gone'; is it on PYTHONPATH?",
        ),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line(
    text, expected, called, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / 'mine.py').write_text(text)
    assert expected in exit_line(main, ['train', 'mine.py'])
    assert not called


def test_processes_on_the_cpu_use_gloo(called, monkeypatch):
    on(monkeypatch, 'cpu')
    started = []
    monkeypatch.setattr(stock_tools.dist, 'init_process_group', started.append)
    main(['train', CONFIG, '--launcher', 'pytorch'])
    assert started == ['gloo']
    assert 'model_wrapper_cfg.device_ids=None' in called[0][1]


@pytest.mark.parametrize('option', ['--launcher=pytorch', '--amp'])
def test_with_a_gpu_nothing_is_added(called, monkeypatch, option):
    on(monkeypatch, 'cuda')
    main(['train', CONFIG, option])
    assert called[0][1][2:] == [option]


def test_amp_without_a_gpu_is_one_line(called, monkeypatch):
    on(monkeypatch, 'cpu')
    assert '--amp needs a GPU' in exit_line(main, ['train', CONFIG, '--amp'])
    assert not called


def test_an_error_of_the_script_keeps_its_traceback(monkeypatch):
    def run_path(path: str, run_name: str) -> None:
        raise ValueError('Expected more than 1 value per channel')

    monkeypatch.setattr(runpy, 'run_path', run_path)
    monkeypatch.setattr(sys, 'argv', ['untouched'])
    with pytest.raises(ValueError, match='more than 1 value'):
        main(['train', CONFIG])
