"""Files that appear whole or not at all."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replace_when_done(path: str | Path) -> Iterator[Path]:
    """Gives a temporary file that takes the place of ``path`` at the end.

    Where the block raises, ``path`` keeps what it had. Missing folders are made. The
    content is on the disk before the name is, so that a machine that goes down leaves
    the old file or the new one. A killed process can leave the temporary file, see
    :func:`target_of_temporary`.

    Args:
        path (str | Path): The file to write.

    Yields:
        Path: What to write instead, in the same folder and with the same suffix.

    Raises:
        ValueError: If the folder cannot be written. One line.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f'.{path.stem}-', suffix=path.suffix
        )
    except OSError as error:
        raise ValueError(f'"{path}" cannot be written: {error.strerror}') from error
    os.close(handle)
    # mkstemp keeps others out; the file gets the rights of any new file.
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
    try:
        yield Path(name)
        _flush(name)
        os.replace(name, path)
        # Some file systems cannot flush a folder; the file is whole all the same.
        with contextlib.suppress(OSError):
            _flush(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def target_of_temporary(name: str) -> str | None:
    """Tells which file a temporary file of this module was to become.

    Args:
        name (str): A file name without its folder.

    Returns:
        str | None: The name of the target; None for any other file.
    """
    match = re.fullmatch(r'\.(.+)-[a-z0-9_]{8}(\.[^.]+)?', name)
    return match and match[1] + (match[2] or '')


def _flush(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: str | Path, content: Any, indent: int | None = None) -> None:
    """Writes a JSON file whole or not at all.

    Args:
        path (str | Path): The file.
        content (Any): What :mod:`json` can write.
        indent (int, optional): Spaces of each level; on one line by default.

    Raises:
        ValueError: If the folder cannot be written. One line.
    """
    with replace_when_done(path) as partial:
        partial.write_text(json.dumps(content, indent=indent) + '\n')


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    Args:
        path (str | Path): The file.
        content (bytes): What it is to hold.

    Raises:
        ValueError: If it cannot be written. One line.
    """
    try:
        with replace_when_done(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise ValueError(f'"{path}" cannot be written: {error.strerror}') from error
