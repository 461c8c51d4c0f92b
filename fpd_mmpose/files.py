"""Hashes files, and writes them atomically: each is either complete or unchanged."""

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fpd_mmpose.errors import UserError

#: What only writing raises: a full disk or quota, a file too large, a read-only disk.
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@contextmanager
def replace_when_done(path: str | Path) -> Iterator[Path]:
    """Yields a temporary file that replaces ``path`` unless the block raises an error.

    The temporary file has the same folder and suffix. Missing folders are created. The
    content is on the disk before the name is, so a crash leaves the old file or the new
    one. A killed process can leave the temporary file; see :func:`target_of_temporary`.
    A file that cannot be written, as on a full disk, is a :class:`UserError`.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f'.{path.stem}-', suffix=path.suffix
        )
    except OSError as error:
        raise _cannot_write(path, error) from error
    os.close(handle)
    # mkstemp makes the file private; give it the permissions of any new file.
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
    is_complete = False
    try:
        yield Path(name)
        is_complete = True
        _flush(name)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            if is_complete or error.errno in _CANNOT_WRITE:
                raise _cannot_write(path, error) from error
        raise
    # Some file systems cannot flush a folder; the file is whole all the same.
    with contextlib.suppress(OSError):
        _flush(path.parent)


def target_of_temporary(name: str) -> str | None:
    """Returns the name that a temporary file was to get; None for any other file."""
    match = re.fullmatch(r'\.(.+)-[a-z0-9_]{8}(\.[^.]+)?', name)
    return match and match[1] + (match[2] or '')


def _flush(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: str | Path, content: Any, indent: int | None = None) -> None:
    """Writes a JSON file atomically."""
    with replace_when_done(path) as partial:
        partial.write_text(json.dumps(content, indent=indent) + '\n', 'utf-8')


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Writes a binary file atomically."""
    try:
        with replace_when_done(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise _cannot_write(path, error) from error


def sha256_of(path: str | Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    try:
        with Path(path).open('rb') as file:
            for block in iter(lambda: file.read(1 << 20), b''):
                digest.update(block)
    except OSError as error:
        raise UserError(f'"{path}" cannot be read: {error.strerror}') from error
    return digest.hexdigest()


def _cannot_write(path: str | Path, error: OSError) -> UserError:
    return UserError(f'"{path}" cannot be written: {error.strerror}')
