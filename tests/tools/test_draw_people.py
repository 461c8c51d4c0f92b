"""The command that draws people."""

import os
import runpy
import subprocess
import sys

import pytest

from tests.helpers import ROOT

TOOL = ROOT / 'tools/data/draw_people.py'


def run_tool(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, 'path', sys.path[:])
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


def test_the_command_draws_a_dataset(tmp_path, monkeypatch):
    run_tool(monkeypatch, tmp_path, *'--train 5 --val 2 --seed 2 --size 64'.split())
    assert len(list((tmp_path / 'images').iterdir())) == 7


def test_a_bad_option_of_the_command_is_a_one_line_error(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, tmp_path, '--size', 3)
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert '`size` must be 64 or more, got 3' in line


def test_the_command_imports_nothing_of_openmmlab(tmp_path):
    code = (
        'import runpy, sys\n'
        'runpy.run_path(sys.argv.pop(1), run_name="__main__")\n'
        'print({"torch", "mmengine", "mmcv", "mmpose"} & {*sys.modules})'
    )
    command = [sys.executable, '-c', code, str(TOOL), str(tmp_path / 'people')]
    done = subprocess.run(
        [*command, *'--train 1 --val 1 --size 64'.split()],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == 'set()'
