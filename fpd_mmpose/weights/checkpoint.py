"""Reads untrusted weight files."""

import errno
import pickle
import re
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log
from torch import Tensor

from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.weights.layouts import Layout, recognize
from fpd_mmpose.weights.local_copies import local_copy
from fpd_mmpose.weights.unpickling import size_of
from fpd_mmpose.weights.wrappers import without_wrappers


def read_state_dict(source: str) -> dict[str, Tensor]:
    """Reads the weights of a pose estimator from a file or a URL.

    Pose weights of the reference (``model_best.pth``, ``checkpoint.pth``), official
    HRNet, and SimpleBaseline get the names used here. The tensors are on the CPU.
    """
    return state_dict_of(read_checkpoint(source), source)


def state_dict_of(checkpoint: Any, source: str) -> dict[str, Tensor]:
    """Takes the weights from a file's content, under the names used here."""
    state_dict = weights_of(checkpoint, source)
    layout = recognize(state_dict)
    if layout is not None and layout.is_foreign_pose:
        return rename(state_dict, layout, source)
    return without_wrappers(state_dict)


def read_checkpoint(source: str) -> Any:
    """Reads the content of an untrusted file or http(s) URL."""
    source = str(source)
    is_url = source.startswith(('http://', 'https://'))
    path = None if is_url else existing(source)
    try:
        return download(source) if path is None else load_file(path)
    except Exception as error:
        raise UserError(why_unreadable(source, error)) from error


def existing(name: str) -> Path:
    """Returns the path of a weight file, which must be there."""
    path = Path(name).expanduser()
    if not path.is_file():
        problem = 'is not a file' if path.exists() else 'does not exist'
        raise UserError(f'"{name}" {problem} (looked from {Path.cwd()})')
    return path


def weights_of(
    checkpoint: Any, source: str, key: str = 'state_dict'
) -> dict[str, Tensor]:
    """Takes the state dict, bare or under ``key``, from a file's content."""
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get(key), dict):
        checkpoint = checkpoint[key]
    if (
        not isinstance(checkpoint, dict)
        or not checkpoint
        or not all(isinstance(name, str) for name in checkpoint)
        or not all(isinstance(value, Tensor) for value in checkpoint.values())
    ):
        raise UserError(
            f'"{source}" holds no weights: expected a state dict, or a checkpoint '
            f'with the key "{key}"'
        )
    return dict(checkpoint)


def rename(
    state_dict: dict[str, Tensor], layout: Layout, source: str
) -> dict[str, Tensor]:
    """Gives weights of another layout the names used here."""
    try:
        return layout.rename(state_dict)
    except UserError as error:
        raise UserError(f'"{source}" cannot be converted: {error}') from error


def load_file(source: Path | BinaryIO, map_location: Any = 'cpu') -> Any:
    """Reads an untrusted file without executing anything in it."""
    _check_format(source)
    content = torch.load(source, map_location=map_location, weights_only=True)
    return _checked(content, size_of(source))


def _check_format(source: Path | BinaryIO) -> None:
    """Refuses files of other kinds, and zip files that were changed or are compressed.

    torch compresses nothing, and writes checksums that it does not read.
    """
    start, end = _ends(source)
    if start and not start.startswith((b'PK', b'\x80')):  # a zip file or a pickle
        raise pickle.UnpicklingError('not a PyTorch file: replace it or give another')
    if start == b'PK' and end[:4] + end[-2:] != b'PK\5\6\0\0':
        raise pickle.UnpicklingError('its archive does not end with the file')
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > size_of(source):
                raise pickle.UnpicklingError(
                    f'refused: it unpacks to {unpacked:,} bytes, and torch compresses '
                    'nothing'
                )
            # torch can be told to write zeros in place of checksums.
            if any(entry.CRC for entry in entries):
                _check_checksums(archive)
    if not isinstance(source, Path):
        source.seek(0)


def _ends(source: Path | BinaryIO) -> tuple[bytes, bytes]:
    """Returns the first two bytes, and where an archive has its last record."""
    opened = source.open('rb') if isinstance(source, Path) else nullcontext(source)
    with opened as file:
        file.seek(0)
        start = file.read(2)
        file.seek(max(0, size_of(file) - 22))
        return start, file.read()


def _check_checksums(archive: zipfile.ZipFile) -> None:
    try:
        damaged = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise pickle.UnpicklingError(f'refused: it is damaged ({error})') from error
    if damaged is not None:
        raise pickle.UnpicklingError(
            f'refused: it is damaged: the checksum of "{damaged[:60]}" does not fit'
        )


def download(url: str, map_location: Any = 'cpu') -> Any:
    """Downloads a file into torch's hub cache, once per machine, and reads it.

    A local copy, see :func:`local_copy`, is read instead.
    """
    # The main process fills the cache before the others read it.
    if not is_main_process():
        barrier()
    try:
        if copy := local_copy(url):
            print_log(f'"{copy}" is read in place of {url}', logger='current')
            return load_file(copy, map_location)
        folder = Path(torch.hub.get_dir(), 'checkpoints')
        path = folder / PurePosixPath(urlsplit(url).path).name
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path))
        return load_file(path, map_location)
    finally:
        if is_main_process():
            barrier()


def why_unreadable(source: str, error: Exception) -> str:
    """Explains in one line why a file could not be read."""
    detail = first_line(error)
    if isinstance(error, pickle.UnpicklingError):
        if source.endswith('.onnx'):
            return (
                f'"{source}" is an exported network and not a checkpoint: `fpd '
                'predict` takes it without a config'
            )
        asked = re.search(r'(?:GLOBAL|Unsupported class) (\S+)', str(error))
        if asked:
            return (
                f'"{source}" is refused: it asks to run {asked[1]}, and only tensors, '
                'NumPy values and mmengine logs are read from a weight file'
            )
        refused = re.search(r'(refused|not a PyTorch file): .*', str(error))
        if refused:
            return f'"{source}" is {refused[0].rstrip(".")}'
        # torch puts the cause below a paragraph of advice.
        if cause := re.search(r'WeightsUnpickler error:\s*(.+)', str(error)):
            detail = cause[1]
    # "Invalid argument" is what torch's zip reader says of a truncated file.
    if isinstance(error, OSError) and error.errno != errno.EINVAL:
        return f'"{source}" cannot be read: {detail}'
    return (
        f'"{source}" is not a readable PyTorch file; it may be truncated '
        f'({type(error).__name__}: {detail[:120]})'
    )


def _checked(content: Any, size: int) -> Any:
    """Rejects unusual tensors, and removes attributes from dictionaries.

    ``size`` is that of the file in bytes.
    """
    storages: dict[int, int] = {}
    for value in _walk(content):
        if isinstance(value, Tensor):
            if (
                value.is_nested
                or value.layout is not torch.strided
                or value.is_quantized
                or value.is_meta
            ):
                raise pickle.UnpicklingError(
                    'refused: it holds a tensor that is sparse, nested, quantized, or '
                    'without content'
                )
            # A small file could otherwise expand one number into a huge tensor.
            if value.nbytes > value.untyped_storage().nbytes():
                raise pickle.UnpicklingError(
                    'refused: it holds a tensor of fewer bytes than its shape says'
                )
            storage = value.untyped_storage()
            storages[storage._cdata] = storage.nbytes()
        elif isinstance(value, OrderedDict):
            # Attributes would hide methods of the same name.
            kept = vars(value).get('_metadata')
            vars(value).clear()
            if isinstance(kept, dict) and all(
                isinstance(entry, dict) and isinstance(entry.get('version', 1), int)
                for entry in kept.values()
            ):
                vars(value)['_metadata'] = kept
    # A file can also ask for tensors without giving their content.
    if sum(storages.values()) > size:
        raise pickle.UnpicklingError('refused: its tensors are larger than the file')
    return content


def _walk(content: Any) -> Iterator[Any]:
    """Yields everything in containers, each object once."""
    seen, left = set(), [content]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, (list, tuple, set)):
            left += value
