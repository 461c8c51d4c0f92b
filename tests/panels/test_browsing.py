"""`fpd browse` draws people as a run would see them."""

import cv2
import numpy as np
import pytest

from fpd_mmpose.cli import main
from fpd_mmpose.errors import UserError
from fpd_mmpose.panels.browsing import browse_people
from fpd_mmpose.panels.drawing import HEIGHT
from tests.helpers.reduced import reduced_distiller


@pytest.fixture
def config(mpii_root, tmp_path):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    path = tmp_path / 'mine.py'
    config.dump(path)
    return path


def test_the_command_draws_label_target_and_teacher_of_as_many_people(
    config, tmp_path, capsys
):
    out = tmp_path / 'out'
    main(['browse', str(config), '--out', str(out), '--number', '3'])
    assert capsys.readouterr().out.splitlines()[-1] == str(out / 'train.png')
    picture = cv2.imread(str(out / 'train.png'))
    rows, columns = (size // HEIGHT for size in picture.shape[:2])
    assert (rows, columns) == (2, 6)  # two people of three tiles in the first row


def test_the_seed_decides_the_augmentation(config, tmp_path):
    one, same, other = (
        browse_people(config, tmp_path / name, 2, seed=seed).read_bytes()
        for name, seed in (('a', 1), ('b', 1), ('c', 2))
    )
    assert one == same != other


def test_validation_people_have_no_targets(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = browse_people(config, number=1, split='val')
    assert str(path) == 'work_dirs/browse/mine/val.png'
    picture = cv2.imread(str(path))
    assert picture.shape[1] // HEIGHT == 2
    assert np.ptp(picture) == 255


def test_what_is_missing_is_named(config, tmp_path):
    with pytest.raises(UserError, match='seed must be from 0 to 4294967295, got -1'):
        browse_people(config, tmp_path, seed=-1)
    with pytest.raises(UserError, match='has no val_dataloader'):
        browse_people(config, tmp_path, split='val', options={'val_dataloader': None})
    with pytest.raises(UserError, match='missing.pth'):
        wrong = {'model.teacher.checkpoint': 'missing.pth'}
        browse_people(config, tmp_path, options=wrong)
