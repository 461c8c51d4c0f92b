"""The commands in the folder demo."""

import json
import os
import runpy
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from fpd_mmpose.demos.painter import CAPTION
from tests.helpers import ROOT
from tests.helpers.demo_video import frames_of, write_video

DEMO = ROOT / 'demo'


@pytest.fixture
def run(monkeypatch) -> Callable[..., None]:
    """Returns a function that runs a command in this process."""
    monkeypatch.syspath_prepend(str(DEMO))

    def call(name: str, *arguments: str | Path) -> None:
        main = runpy.run_path(str(DEMO / name))['main']
        main([*map(str, arguments), '--device=cpu'])

    return call


def error_of(run, name: str, *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as error:
        run(name, *arguments)
    hint, first = str(error.value).strip().splitlines()
    assert first.startswith('error: ') and 'FPD_TRACEBACK' in hint
    return first


@pytest.mark.parametrize('name', ['image_demo.py', 'video_demo.py', 'web.py'])
def test_help_does_not_wait_for_torch(name):
    code = (
        'import runpy, sys\n'
        'try: runpy.run_path(sys.argv.pop(1), run_name="__main__")\n'
        'finally: assert "torch" not in sys.modules'
    )
    command = [sys.executable, '-c', code, str(DEMO / name), '--help']
    environment = dict(os.environ, PYTHONPATH=str(DEMO))
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '--teacher' in done.stdout and '--det-config' in done.stdout


def test_images(run, files, image_file, tmp_path, capsys):
    out, table = tmp_path / 'out.jpg', tmp_path / 'out.json'
    network = (files['student'], files['student_weights'])
    outputs = ('--out-file', out, '--json', table, '--draw-heatmap')
    run('image_demo.py', image_file, *network, *outputs, '--kpt-thr=0', '--teacher')
    assert cv2.imread(str(out)).shape == (CAPTION + 240, 180, 3)
    labels = [one['label'] for one in json.loads(table.read_text())['networks']]
    assert labels == ['student', 'teacher']
    assert f'1 image: {out} and {table}' in capsys.readouterr().out


def test_a_video(run, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    video = write_video(tmp_path / 'video.avi', frames=4)
    run('video_demo.py', video, files['student'], files['student_weights'])
    assert len(frames_of(tmp_path / 'work_dirs/demo/video.mp4')) == 4
    out = capsys.readouterr().out
    assert '4 frames' in out and 'video.mp4' in out


@pytest.mark.process
@pytest.mark.slow
def test_the_page(files):
    command = [sys.executable, str(DEMO / 'web.py'), files['student']]
    command += [files['student_weights'], '--port=0', '--device=cpu']
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Processes in the background of a shell ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            lines = iter(process.stdout.readline, '')
            address = next(line for line in lines if line.startswith('http'))
            assert address.startswith('http://127.0.0.1:')
            with urllib.request.urlopen(address.split()[0]) as answer:
                assert b'Find keypoints' in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


# --- Errors --------------------------------------------------------------------------


def test_errors_are_one_line(run, files, image_file, tmp_path, monkeypatch):
    student = (files['student'], files['student_weights'])
    text = error_of(run, 'image_demo.py', tmp_path / 'no.jpg', *student)
    assert 'no.jpg" does not exist' in text
    text = error_of(
        run, 'image_demo.py', image_file, files['student'], files['teacher_weights']
    )
    assert 'does not fit the network' in text
    text = error_of(run, 'video_demo.py', tmp_path / 'no.mp4', *student)
    assert 'no.mp4" does not exist' in text
    text = error_of(run, 'web.py', *student, '--port=99999')
    assert 'cannot listen on' in text
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    text = error_of(run, 'image_demo.py', image_file, *student, '--show')
    assert 'there is no display' in text


@pytest.mark.parametrize('megabytes', ['nan', '0', '-1', 'inf', '1e9'])
def test_the_web_demo_needs_a_bound_for_uploads(run, megabytes, capsys):
    with pytest.raises(SystemExit):
        run('web.py', 'student.py', 'student.pth', f'--max-megabytes={megabytes}')
    assert 'must be positive and at most 1024' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--teacher', 'teacher.py'], '--teacher takes CONFIG CHECKPOINT or nothing'),
        (['--det-checkpoint=a.pth'], '--det-checkpoint needs --det-config'),
        (['--bbox-thr=1.5'], '--bbox-thr must be at least 0 and below 1, got 1.5'),
    ],
)
def test_options_are_checked_before_anything_is_loaded(run, options, message, capsys):
    with pytest.raises(SystemExit):
        run('image_demo.py', 'a.jpg', 'student.py', 'student.pth', *options)
    assert message in capsys.readouterr().err
