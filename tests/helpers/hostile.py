"""What an untrusted file may try."""

import os
from pathlib import Path


class Evil:
    """Pickles as a command that makes a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.system, (f'mkdir "{self.folder}"',)
