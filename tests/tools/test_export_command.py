"""`fpd export`."""

from functools import partial
from pathlib import Path

import onnx
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from fpd_mmpose.cli import main as fpd
from tests.helpers import ROOT
from tests.helpers.reduced import reduced_config
from tests.helpers.refusals import exit_line

COMMAND = ROOT / 'tools/export_onnx.py'
main = partial(fpd, command='export')


@pytest.fixture(scope='module')
def files(
    mpii_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp('command')
    config: Config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, folder)
    config.dump(folder / 'student.py')
    torch.save(MODELS.build(config.model).state_dict(), folder / 'student.pth')
    return folder / 'student.py', folder / 'student.pth'


def test_it_writes_the_file_and_prints_the_difference(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / 'new/student.onnx'
    options = ('--flip-test', '--with-decode', '--with-preprocess', 'rgb', '--fp16')
    main([*map(str, (*files, out)), *options])
    printed = capsys.readouterr().out
    assert printed.startswith(f'{out}: fp16, ')
    assert 'heatmaps differ from those of PyTorch by ' in printed
    assert len(printed.splitlines()) == 1
    names = [one.name for one in onnx.load(str(out)).graph.output]
    assert names == ['keypoints', 'scores']


@pytest.mark.parametrize('name', ['udp.txt', 'udp', 'onnx', 'udp.ONNX'])
def test_a_name_that_predict_would_not_take_is_refused_first(name: str) -> None:
    line = exit_line(main, ['absent.py', 'absent.pth', f'new/{name}'])
    assert line.startswith(f'error: "new/{name}" must end in .onnx')


def test_errors_are_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    config, _ = files
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'other.pth')
    expected = f'\nerror: "{tmp_path}/other.pth" does not fit the network of'
    with pytest.raises(SystemExit, match=expected):
        main([str(config), str(tmp_path / 'other.pth'), str(tmp_path / 'a.onnx')])
    assert not (tmp_path / 'a.onnx').exists()


def test_int8_prints_the_change_of_the_score(
    mpii_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The last weights are zero, so quantization moves no keypoint."""
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path)
    config.dump(tmp_path / 'student.py')
    model = MODELS.build(config.model)
    torch.nn.init.zeros_(model.backbone.stacks[-1].score.weight)
    torch.save(model.state_dict(), tmp_path / 'student.pth')
    out = tmp_path / 'a.onnx'
    given = [str(tmp_path / name) for name in ('student.py', 'student.pth', 'a.onnx')]
    main([*given, '--int8', str(mpii_root)])
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith(f'{out}: int8, ') and len(lines) == 3
    assert '0.00% of the keypoints move' in lines[1]
    assert lines[2].endswith(' in 8 bits (+0.00)')
    assert printed.err.splitlines()[0] == f'calibrating on 12 people of {mpii_root}'


def test_precisions_exclude_each_other(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(['a.py', 'a.pth', 'a.onnx', '--fp16', '--int8', 'data'])
    assert 'not allowed with argument' in capsys.readouterr().err
