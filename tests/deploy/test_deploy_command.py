"""The command `python -m fpd_mmpose.deploy`."""

import json
import os
import subprocess
import sys
from functools import partial

import cv2
import numpy as np
import pytest

from fpd_mmpose import cli
from tests.helpers import ROOT
from tests.helpers.exported import write_decoded

main = partial(cli.main, command='predict')


@pytest.fixture
def files(tmp_path):
    image = tmp_path / 'person.png'
    cv2.imwrite(str(image), np.full((100, 100, 3), 50, np.uint8))
    model = write_decoded(tmp_path / 'student.onnx', padding=1.0)
    return [str(model), str(image)]


def test_it_prints_the_keypoints_of_each_box(files, capsys):
    main([*files, '--box', '10', '20', '42', '68', '--box', '0', '0', '64', '96'])
    first, second = json.loads(capsys.readouterr().out)
    assert first['box'] == [10, 20, 42, 68]
    assert first['keypoints'].keys() == {'left_hand', 'right_hand', 'head'}
    assert first['keypoints']['head'] == [18, 56, 50]
    assert second['keypoints']['head'] == [16, 72, 50]


def test_without_boxes_the_whole_image_is_one_person(files, capsys):
    main(files)
    (person,) = json.loads(capsys.readouterr().out)
    assert person['box'] == [0, 0, 100, 100]


def test_it_draws_the_people(files, tmp_path):
    out = tmp_path / 'new' / 'drawn.png'
    main([*files, '--out-file', str(out)])
    assert cv2.imread(str(out)).shape == (100, 100, 3)
    assert (cv2.imread(str(out)) != 50).any()


@pytest.mark.parametrize('name', ['drawn.unknown', 'drawn'])
def test_an_unknown_format_is_an_error(files, tmp_path, name):
    with pytest.raises(SystemExit, match=f'error: .*{name}".*.jpg, .png'):
        main([*files, '--out-file', str(tmp_path / name)])
    assert not (tmp_path / name).exists()


def test_a_failed_write_changes_nothing(files, tmp_path):
    folder = tmp_path / 'drawn.png'
    folder.mkdir()
    with pytest.raises(SystemExit, match='error: .*drawn.png" cannot be written'):
        main([*files, '--out-file', str(folder)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'drawn.png',
        'person.png',
        'student.onnx',
    ]


def test_it_imports_neither_torch_nor_openmmlab(files):
    code = (
        'import runpy, sys\n'
        'runpy.run_module("fpd_mmpose.deploy", run_name="__main__")\n'
        'assert not {"torch", "mmengine", "mmcv", "mmpose"} & {*sys.modules}'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, *files],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_unusable_files_are_errors_of_one_line(files, tmp_path):
    with pytest.raises(SystemExit, match='error: .*missing.jpg" cannot be read'):
        main([files[0], 'missing.jpg'])
    with pytest.raises(SystemExit, match='error: .*missing.onnx" is not a file'):
        main([str(tmp_path / 'missing.onnx'), files[1]])
