"""MMPose's own scripts, with what this machine needs added."""

import runpy
import sys

import pytest

from fpd_mmpose.cli import stock_tools


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


def test_arguments_pass_unchanged(called):
    stock_tools.run_stock_tool('train', ['config.py', '--resume'])
    ((script, argv),) = called
    assert script.endswith('tools/train.py') and 'mmpose' in script
    assert argv[1:] == ['config.py', '--resume']


def test_processes_on_the_cpu_use_gloo(called, monkeypatch):
    on(monkeypatch, 'cpu')
    started = []
    monkeypatch.setattr(stock_tools.dist, 'init_process_group', started.append)
    stock_tools.run_stock_tool('train', ['config.py', '--launcher', 'pytorch'])
    assert started == ['gloo']
    assert 'model_wrapper_cfg.device_ids=None' in called[0][1]


@pytest.mark.parametrize('arguments', [['--launcher=pytorch'], ['--amp']])
def test_with_a_gpu_nothing_is_added(called, monkeypatch, arguments):
    on(monkeypatch, 'cuda')
    stock_tools.run_stock_tool('train', ['config.py', *arguments])
    assert called[0][1][1:] == ['config.py', *arguments]


def test_amp_without_a_gpu_is_refused(called, monkeypatch):
    on(monkeypatch, 'cpu')
    with pytest.raises(SystemExit, match='--amp needs a GPU'):
        stock_tools.run_stock_tool('train', ['config.py', '--amp'])
    assert not called


def test_a_fault_of_the_user_is_one_line(monkeypatch):
    def run_path(path: str, run_name: str) -> None:
        raise ValueError('what is wrong')

    monkeypatch.setattr(runpy, 'run_path', run_path)
    with pytest.raises(SystemExit, match='error: what is wrong'):
        stock_tools.run_stock_tool('test', [])
    monkeypatch.setenv('FPD_TRACEBACK', '1')
    with pytest.raises(ValueError, match='what is wrong'):
        stock_tools.run_stock_tool('test', [])
