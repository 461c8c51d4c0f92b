"""A dataset for tests to damage."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def root(mpii_root: Path, tmp_path: Path) -> Path:
    """Copies the dataset, so that a test can damage it."""
    return Path(shutil.copytree(mpii_root, tmp_path / 'data' / 'mpii'))
