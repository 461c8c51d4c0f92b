"""The contact sheet, and the command that draws people."""

import runpy
import sys

import cv2
import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.synthetic import write_dataset
from fpd_mmpose.synthetic.preview import write_preview
from tests.helpers import ROOT

TOOL = ROOT / 'tools/data/draw_people.py'


def run_tool(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, 'path', sys.path[:])
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


def test_the_command_draws_a_dataset_and_its_preview(tmp_path, monkeypatch):
    root, sheet = tmp_path / 'mpii', tmp_path / 'sheets/sheet.png'
    options = '--train 5 --val 2 --seed 2 --size 64 --workers 1'.split()
    run_tool(monkeypatch, root, *options, '--preview', sheet)
    assert len(list((root / 'images').iterdir())) == 7
    # Two rows of four pairs, five of which hold a person.
    sheet_image = cv2.imread(str(sheet))
    assert sheet_image.shape == (480, 1920, 3)
    assert sheet_image[:240].std() > 0 and not sheet_image[240:, 480:].any()
    # The annotated copy is the plain one with lines on it.
    assert (sheet_image[:240, :240] != sheet_image[:240, 240:480]).any()


def test_a_bad_option_of_the_command_is_a_one_line_error(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, tmp_path, '--size', 3)
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert '`size` must be 64 or more, got 3' in line


def test_an_unknown_image_format_is_an_error(tmp_path):
    write_dataset(tmp_path, 1, 1, 0, 64, num_workers=1)
    with pytest.raises(UserError, match='ending in .png'):
        write_preview(tmp_path, tmp_path / 'sheet.what')
