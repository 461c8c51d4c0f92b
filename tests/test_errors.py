"""Errors of the user are one line."""

import pytest
from torch.utils.data import DataLoader, Dataset

from fpd_mmpose.errors import one_line_errors


class Damaged(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        raise ValueError('image "a.jpg" of record 7 cannot be decoded: is it damaged?')


def message_of(error: Exception) -> str:
    with pytest.raises(SystemExit) as info, one_line_errors():
        raise error
    return str(info.value)


@pytest.mark.parametrize('kind', [ValueError, FileNotFoundError])
def test_the_text_of_the_error_is_shown(kind):
    text = message_of(kind('no such option: speed'))
    assert text.splitlines()[0] == 'error: no such option: speed'


def test_an_error_in_a_worker_of_a_loader_loses_its_traceback():
    with pytest.raises(SystemExit) as info, one_line_errors():
        next(iter(DataLoader(Damaged(), num_workers=1)))
    first, hint = str(info.value).splitlines()
    assert first == (
        'error: image "a.jpg" of record 7 cannot be decoded: is it damaged?'
    )
    assert 'FPD_TRACEBACK=1' in hint


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError


def test_a_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv('FPD_TRACEBACK', '1')
    with pytest.raises(ValueError), one_line_errors():
        raise ValueError('x')
