"""The command that converts weights."""

import subprocess
import sys
from pathlib import Path

import torch

from tests.helpers import ROOT

FILE = ROOT / 'tests/data/hourglass_a.pth'


def call(*arguments: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, '-W', 'ignore', 'tools/convert_checkpoint.py']
    return subprocess.run(
        [*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


def test_it_prints_what_it_found_and_writes_the_file(tmp_path):
    done = call(FILE, tmp_path / 'new/ours.pth', '--verify-input')
    assert done.returncode == 0, done.stderr
    assert 'stacks 2, features 32' in done.stdout and 'joints 16' in done.stdout
    assert 'mean' in done.stdout
    found = torch.load(tmp_path / 'new/ours.pth', weights_only=True)
    assert set(found) == {'meta', 'state_dict'}


def test_an_error_is_one_line(tmp_path):
    torch.save({'features.0.weight': torch.zeros(1)}, tmp_path / 'a.pth')
    done = call(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert done.returncode == 1 and not (tmp_path / 'b.pth').exists()
    assert done.stderr.startswith(f'error: "{tmp_path}/a.pth" is not recognised')
