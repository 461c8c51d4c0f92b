"""The check lists weight files and the configs they are for."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from fpd_mmpose.checks import check_weights
from fpd_mmpose.checks.weight_files import TEST, TRAIN, WEIGHTS
from fpd_mmpose.cli import main as fpd
from tests.helpers.hostile import Evil
from tests.helpers.refusals import exit_line, refused

Weights = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path('checkpoints').mkdir()
    return Path('checkpoints')


def hourglass(stacks: int, features: int, joints: int = 16) -> Weights:
    """The weights that determine the sizes of an hourglass, under our names."""
    weights = {'backbone.stem.0.weight': torch.zeros(features // 4, 1)}
    for stack in range(stacks):
        start = f'backbone.stacks.{stack}'
        weights[f'{start}.blocks.0.conv1.weight'] = torch.zeros(1)
        weights[f'{start}.score.weight'] = torch.zeros(joints, 1)
    return weights


def hrnet(width: int, joints: int = 0) -> Weights:
    """The same for an HRNet, under its official names; of ImageNet without joints."""
    names = ('conv1', 'conv2', 'stage4.2.branches.0.0.conv1')
    weights = {f'{name}.weight': torch.zeros(1) for name in names}
    weights['stage2.0.branches.0.0.conv1.weight'] = torch.zeros(width, 1)
    if joints:
        weights['final_layer.weight'] = torch.zeros(joints, 1, 1, 1)
    return weights


def test_each_file_is_described_with_its_configs(folder):
    torch.save({'state_dict': hourglass(8, 256)}, folder / 'hg8_256_mpii.pth')
    torch.save(hourglass(4, 128), folder / 'hg4_128_fpd_mpii.pth')
    (folder / 'downloads').mkdir()
    torch.save(hrnet(32, 17), folder / 'downloads/pose_hrnet_w32_256x192.pth')
    torch.save(hrnet(48), folder / 'imagenet.pth')
    torch.save(hourglass(3, 64), folder / 'mine.pth')
    torch.save({'backbone.x': torch.zeros(1)}, folder / 'rtmpose.pth')
    torch.save({'x': torch.zeros(1)}, folder / 'x.pth')
    report = check_weights(folder)
    assert not report.problems and not report.warnings
    assert report.sections[WEIGHTS] == {
        'downloads/pose_hrnet_w32_256x192.pth': (
            'HRNet-W32, 17 joints (official HRNet pose weights)'
        ),
        'hg4_128_fpd_mpii.pth': (
            'hourglass 4x128, 16 joints (weights of this project or MMPose)'
        ),
        'hg8_256_mpii.pth': (
            'hourglass 8x256, 16 joints (weights of this project or MMPose)'
        ),
        'imagenet.pth': 'HRNet-W48, a backbone alone (an ImageNet HRNet)',
        'mine.pth': 'hourglass 3x64, 16 joints (weights of this project or MMPose)',
        'rtmpose.pth': 'an unknown network (weights of this project or MMPose)',
        'x.pth': 'an unknown network (1 names, starting with x)',
    }
    official = 'checkpoints/downloads/pose_hrnet_w32_256x192.pth'
    assert report.sections[TEST] == {
        'configs/hrnet/hrnet_w32_coco_256x192.py': official,
        'configs/hrnet/hrnet_w32_coco_384x288.py': official,
        'configs/fpd/hg4_128_fpd_mpii.py': 'checkpoints/hg4_128_fpd_mpii.pth',
        'configs/hourglass/hg8_256_mpii.py': 'checkpoints/hg8_256_mpii.pth',
    }
    # Those that start from random weights and need the teacher alone.
    assert report.sections[TRAIN] == {
        f'configs/fpd/hg4_128_fpd_{name}_mpii.py': (
            'teacher checkpoints/hg8_256_mpii.pth'
        )
        for name in ('labelfree', 'scratch')
    }
    assert report.verdict == 'OK: 7 weight files (0 warnings)'


def test_a_distillation_is_ready_once_both_files_are_there(folder, capsys):
    (folder / 'models').mkdir()
    for name, stacks, features in (('hg8_256', 8, 256), ('hg4_128', 4, 128)):
        target = (folder / f'models/{name}.pth').absolute()
        torch.save(hourglass(stacks, features), target)
        (folder / f'{name}_mpii.pth').symlink_to(target)
    for listed in ('checkpoints', 'checkpoints/models'):
        with pytest.raises(SystemExit) as done:
            fpd(['check', listed, '--json', 'report.json'])
        assert done.value.code == 0
        train = json.loads(Path('report.json').read_text())['sections'][TRAIN]
        assert train['configs/fpd/hg4_128_fpd_mpii.py'] == (
            'teacher checkpoints/hg8_256_mpii.pth, start checkpoints/hg4_128_mpii.pth'
        )
    assert 'configs/fpd/hg4_128_fpd_mpii.py' in capsys.readouterr().out


def test_files_that_cannot_be_used_are_one_line_each(folder, capsys):
    torch.save(hourglass(4, 128), folder / 'hg4_128_mpii.pth')
    torch.save({'state_dict': Evil(folder / 'it ran')}, folder / 'evil.pth')
    torch.save({'epoch': 3}, folder / 'empty.pth')
    whole = (folder / 'hg4_128_mpii.pth').read_bytes()
    (folder / 'hg8_256_mpii.pth').write_bytes(whole[:500])
    (folder / 'gone.pth').symlink_to('nowhere.pth')
    (folder / '.unfinished.pth').touch()
    with pytest.raises(SystemExit) as done:
        fpd(['check', 'checkpoints'])
    assert done.value.code == 1 and not (folder / 'it ran').exists()
    output = capsys.readouterr().out
    problems = [line for line in output.splitlines() if line.startswith('  - ')]
    for line, name, reason in zip(
        problems,
        ('empty', 'evil', 'gone', 'hg8_256_mpii'),
        ('holds no weights', 'is refused', 'does not exist', 'may be truncated'),
        strict=True,
    ):
        assert line.startswith(f'  - "checkpoints/{name}.pth" ') and reason in line
    assert output.splitlines()[-1] == '4 problems: not every file can be used'
    assert 'configs/hourglass/hg4_128_mpii.py' in output and TRAIN not in output


@pytest.mark.parametrize(
    ('weights', 'found'),
    [
        (hourglass(4, 128), 'hourglass 4x128, 16 joints'),
        (hourglass(8, 256, 17), 'hourglass 8x256, 17 joints'),
        (hrnet(32), 'HRNet-W32, a backbone alone'),
    ],
)
def test_a_file_with_the_name_of_another_config_is_a_problem(folder, weights, found):
    torch.save(weights, folder / 'hg8_256_mpii.pth')
    report = check_weights(folder)
    (problem,) = report.problems
    assert problem.startswith(f'"checkpoints/hg8_256_mpii.pth" holds {found} (')
    assert 'not the network of configs/hourglass/hg8_256_mpii.py: ' in problem
    assert TEST not in report.sections


def test_a_hash_in_a_name_is_compared(folder):
    torch.save(hrnet(32), folder / 'hrnet_w32-36af842e.pth')
    torch.save(hrnet(32), folder / 'x')
    digest = hashlib.sha256((folder / 'x').read_bytes()).hexdigest()
    (folder / 'x').rename(folder / f'x-{digest[:8]}.pth')
    (warning,) = check_weights(folder).warnings
    assert warning.startswith(
        '"checkpoints/hrnet_w32-36af842e.pth": its SHA-256 is not'
    )


def test_a_folder_without_weights_is_an_error(folder):
    message = '"checkpoints" has no weight files (*.pth)'
    assert refused(check_weights, folder) == message
    assert exit_line(fpd, ['check', 'checkpoints']) == f'error: {message}'
