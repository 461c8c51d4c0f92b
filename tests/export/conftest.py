"""The student that most export tests share."""

from pathlib import Path

import pytest

from tests.helpers.export_data import Student, built
from tests.helpers.reduced import reduced_config


@pytest.fixture(scope='session')
def student(mpii_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Student:
    folder = tmp_path_factory.mktemp('student')
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, folder)
    return built(config, folder / 'student.pth')
