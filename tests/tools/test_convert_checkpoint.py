"""`fpd convert`."""

from functools import partial

import torch

from fpd_mmpose.cli import main as fpd
from tests.helpers import ROOT
from tests.helpers.refusals import exit_line

FILE = ROOT / 'tests/data/hourglass_a.pth'
main = partial(fpd, command='convert')


def test_it_prints_what_it_found_and_writes_the_file(tmp_path, capsys):
    main([str(FILE), str(tmp_path / 'new/ours.pth'), '--verify-input'])
    printed = capsys.readouterr().out
    assert 'stacks 2, features 32' in printed and 'joints 16' in printed
    assert 'mean' in printed
    found = torch.load(tmp_path / 'new/ours.pth', weights_only=True)
    assert set(found) == {'meta', 'state_dict'}


def test_an_error_is_one_line(tmp_path):
    torch.save({'features.0.weight': torch.zeros(1)}, tmp_path / 'a.pth')
    line = exit_line(main, [str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth')])
    assert not (tmp_path / 'b.pth').exists()
    assert line.startswith(f'error: "{tmp_path}/a.pth" is not recognized')
