"""The command that writes ONNX files."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from reduced import reduced_config

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, 'tools/export_onnx.py', *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope='module')
def files(
    mpii_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp('command')
    config: Config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, folder)
    config.dump(folder / 'student.py')
    torch.save(MODELS.build(config.model).state_dict(), folder / 'student.pth')
    return folder / 'student.py', folder / 'student.pth'


def test_it_writes_the_file_and_tells_the_difference(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / 'new/student.onnx'
    options = ('--flip-test', '--with-decode', '--with-preprocess', 'rgb', '--fp16')
    done = call(*files, out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f'{out}: fp16, ')
    assert 'heatmaps differ from those of PyTorch by ' in done.stdout
    assert len(done.stdout.splitlines()) == 1
    names = [one.name for one in onnx.load(str(out)).graph.output]
    assert names == ['keypoints', 'scores']


def test_errors_are_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    config, _ = files
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'other.pth')
    done = call(config, tmp_path / 'other.pth', tmp_path / 'a.onnx')
    assert done.returncode == 1 and not (tmp_path / 'a.onnx').exists()
    error, hint = done.stderr.strip().splitlines()[-2:]
    assert error.startswith(f'error: "{tmp_path}/other.pth" does not fit the network')
    assert hint.startswith('(FPD_TRACEBACK=1')


def test_precisions_exclude_each_other(files: tuple[Path, Path]) -> None:
    done = call(*files, 'a.onnx', '--fp16', '--int8', 'data')
    assert done.returncode == 2
    assert 'not allowed with argument' in done.stderr
