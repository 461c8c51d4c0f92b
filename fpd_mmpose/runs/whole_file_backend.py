"""MMEngine's local files, written whole or not at all."""

import os
from pathlib import Path

from mmengine.fileio import FileClient, LocalBackend, register_backend

from fpd_mmpose.files import write_bytes


class WholeFileBackend(LocalBackend):
    """Never leaves a partial file, whenever the process is killed.

    MMEngine's own backend opens a file under its final name, which destroys the
    previous content before the new one is there.
    """

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Writes bytes to a temporary file and renames it.

        Args:
            obj (bytes | memoryview): The content.
            filepath (str | Path): The file. Links are followed; a device or a pipe is
                written directly.

        Raises:
            UserError: If the file cannot be written. One line.
        """
        path = os.path.realpath(filepath)
        if os.path.exists(path) and not os.path.isfile(path):
            super().put(obj, filepath)
        else:
            write_bytes(path, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Writes text as :meth:`put` writes bytes.

        Args:
            obj (str): The content.
            filepath (str | Path): The file.
            encoding (str): Defaults to ``'utf-8'``.

        Raises:
            UserError: If the file cannot be written. One line.
        """
        self.put(obj.encode(encoding), filepath)


def install() -> None:
    """Makes this the backend of local files, under MMEngine's names. Idempotent."""
    register_backend('local', WholeFileBackend, force=True, prefixes='')
    # The name that the deprecated `file_client_args` know.
    FileClient.register_backend('disk', WholeFileBackend, force=True)
