"""`fpd predict`: keypoints of an image as JSON."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmpose.apis import inference_topdown

from fpd_mmpose.cli import main
from fpd_mmpose.models import StackedHourglass
from fpd_mmpose.weights.initialization import load_model
from tests.helpers import ROOT
from tests.helpers.exported import write_decoded
from tests.helpers.reduced import reduced_config
from tests.helpers.refusals import exit_line

predict = partial(main, command='predict')
BOX = ['--box', '10', '20', '42', '68']


@pytest.fixture
def image(tmp_path) -> str:
    path = tmp_path / 'person.png'
    cv2.imwrite(str(path), np.full((100, 100, 3), 50, np.uint8))
    return str(path)


class TestAnExportedNetwork:
    @pytest.fixture
    def files(self, tmp_path, image) -> list[str]:
        return [str(write_decoded(tmp_path / 'student.onnx', padding=1.0)), image]

    def test_it_prints_the_keypoints_of_each_box(self, files, capsys):
        predict([*files, *BOX, '--box', '0', '0', '64', '96'])
        first, second = json.loads(capsys.readouterr().out)
        assert first['box'] == [10, 20, 42, 68]
        assert first['keypoints'].keys() == {'left_hand', 'right_hand', 'head'}
        assert first['keypoints']['head'] == [18, 56, 50]
        assert second['keypoints']['head'] == [16, 72, 50]

    def test_it_draws_them(self, files, tmp_path, capsys):
        out = tmp_path / 'new' / 'drawn.png'
        predict([*files, '--out-file', str(out)])
        assert (cv2.imread(str(out)) != 50).any()

    def test_it_does_not_draw_over_the_input(self, files, capsys):
        before = Path(files[1]).read_bytes()
        with pytest.raises(SystemExit):
            predict([*files, '--out-file', os.path.relpath(files[1])])
        assert 'is an input: choose another name' in capsys.readouterr().err
        assert Path(files[1]).read_bytes() == before

    def test_it_says_that_no_keypoint_scores_enough(self, files, tmp_path, capsys):
        drawing = ['--kpt-thr=900', '--out-file', str(tmp_path / 'drawn.png')]
        predict([*files, *drawing, *BOX, '--box', '0', '0', '9', '9'])
        captured = capsys.readouterr()
        assert len(json.loads(captured.out)) == 2
        assert 'png": no keypoint of 2 people scores 900 or more' in captured.err

    @pytest.mark.parametrize('name', ['drawn.unknown', 'drawn'])
    def test_an_unknown_format_is_one_line(self, files, tmp_path, name):
        line = exit_line(predict, [*files, '--out-file', str(tmp_path / name)])
        assert f'{name}" must end in .bmp, .jpeg, .jpg, .png, .webp to hold' in line

    def test_it_is_fast_and_does_without_torch(self, files):
        resource = pytest.importorskip('resource')
        code = (
            'import sys; from fpd_mmpose.cli import main; main(sys.argv[1:]);'
            "assert not {'torch', 'mmengine', 'mmpose'} & {*sys.modules}"
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, '-c', code, 'predict', *files, '--threads', '1'],
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            capture_output=True,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)[0]['box'] == [0, 0, 100, 100]
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert used < 2


class TestACheckpoint:
    @pytest.fixture
    def files(self, mpii_root, tmp_path, image) -> list[str]:
        config = reduced_config(
            'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, stacks=1, features=8
        )
        config.dump(tmp_path / 'student.py')
        network = torch.nn.Module()
        network.backbone = StackedHourglass(num_stacks=1, num_features=8)
        torch.save(network.state_dict(), tmp_path / 'student.pth')
        return [str(tmp_path / 'student.py'), str(tmp_path / 'student.pth'), image]

    def test_it_prints_what_mmpose_finds(self, files, tmp_path, capsys):
        out = tmp_path / 'drawn.jpg'
        drawing = ['--kpt-thr', '-9', '--out-file', str(out)]
        predict([*files, *BOX, '--device', 'cpu', *drawing])
        (person,) = json.loads(capsys.readouterr().out)
        model = load_model(files[0], files[1])
        boxes = np.array([[10, 20, 42, 68]], np.float32)
        (sample,) = inference_topdown(model, files[2], boxes)
        found = sample.pred_instances
        assert person['box'] == [10, 20, 42, 68] and len(person['keypoints']) == 16
        x, y, score = person['keypoints']['head_top']
        np.testing.assert_allclose([x, y], found.keypoints[0, 9], atol=0.006)
        assert score == pytest.approx(found.keypoint_scores[0, 9], abs=6e-5)
        assert cv2.imread(str(out)).std() > 1

    def test_a_missing_file_is_one_line(self, files):
        line = exit_line(predict, [files[0], 'missing.pth', files[2]])
        assert '"missing.pth" does not exist' in line

    def test_an_exported_network_needs_no_config(self, files, tmp_path):
        exported = str(write_decoded(tmp_path / 'student.onnx'))
        line = exit_line(predict, [files[0], exported, files[2]])
        assert line.startswith(f'error: "{exported}" is an exported network')
