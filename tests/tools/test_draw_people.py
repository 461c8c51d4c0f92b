"""The command that draws people."""

import runpy
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
