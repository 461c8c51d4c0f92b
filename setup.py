"""Adds configs/, demo/ and tools/ to what is built; all else is in pyproject.toml.

OpenMMLab packages keep them in `<package>/.mim` once installed, where MIM finds
them. An editable install needs no copy: it uses the repository's own folders.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ('configs', 'demo', 'tools')
MODEL_INDEX = 'model-index.yml'
#: What needs a checkout, with its lock file or its tests, and so is in no wheel.
CHECKOUT_ONLY = [
    f'tools/{name}.sh' for name in ('quickstart', 'run_tests', 'setup_env')
]


class BuildPy(build_py):
    """`build_py` that also copies the files outside the package."""

    def run(self):
        """Build the package, then put the files into its `.mim` folder."""
        super().run()
        if self.editable_mode:
            return
        mim = Path(self.build_lib, 'fpd_mmpose', '.mim')
        # An earlier build may have left files that are gone from the source.
        shutil.rmtree(mim, ignore_errors=True)
        for name in sorted({*self.mim_files()} - {*CHECKOUT_ONLY}):
            (mim / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, mim / name)

    def get_source_files(self):
        """List the files of the source distribution."""
        return [*super().get_source_files(), *self.mim_files()]

    @staticmethod
    def mim_files():
        """List the files of the folders, relative to the repository."""
        found = [p for folder in FOLDERS for p in sorted(Path(folder).rglob('*'))]
        return [
            str(path)
            for path in [*found, Path(MODEL_INDEX)]
            if path.is_file() and '__pycache__' not in path.parts
        ]


setup(cmdclass={'build_py': BuildPy})
