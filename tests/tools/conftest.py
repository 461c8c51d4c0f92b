"""A checkout and data to link into it."""

import subprocess
from pathlib import Path

import pytest

from tests.helpers import ROOT

SCRIPT = ROOT / 'tools/prepare_data.sh'


class Place:
    """A checkout and a data folder with spaces in their names."""

    def __init__(self, folder: Path):
        self.checkout = folder / 'my checkout'
        self.data = folder / 'my data'
        self.checkout.mkdir()
        self.data.mkdir()

    def fill(self, name: str, files: tuple[str, ...]) -> Path:
        for file in files:
            path = self.data / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return self.data / name

    def prepare(self, *options: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            ['bash', SCRIPT, '--into', self.checkout, *options],
            cwd=self.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def links(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.checkout)): str(path.readlink())
            for path in self.checkout.rglob('*')
            if path.is_symlink()
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
