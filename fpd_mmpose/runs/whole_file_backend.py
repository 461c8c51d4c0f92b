"""MMEngine's backend for local files, with atomic writes."""

import os
from pathlib import Path

from mmengine.fileio import FileClient, LocalBackend, register_backend

from fpd_mmpose.files import write_bytes


class WholeFileBackend(LocalBackend):
    """Writes files atomically.

    MMEngine's own backend opens the file itself, which destroys the previous content
    before the new one is complete.
    """

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Writes bytes. Links are followed; a device or a pipe is written directly."""
        path = os.path.realpath(filepath)
        if os.path.exists(path) and not os.path.isfile(path):
            super().put(obj, filepath)
        else:
            write_bytes(path, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Writes text as :meth:`put` writes bytes."""
        self.put(obj.encode(encoding), filepath)


def install() -> None:
    """Makes this MMEngine's backend of local files; calling it again is harmless."""
    register_backend('local', WholeFileBackend, force=True, prefixes='')
    # The name used by the deprecated `file_client_args`.
    FileClient.register_backend('disk', WholeFileBackend, force=True)
