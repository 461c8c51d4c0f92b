"""A data set to spoil."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def root(mpii_root: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(mpii_root, tmp_path / 'data' / 'mpii'))
