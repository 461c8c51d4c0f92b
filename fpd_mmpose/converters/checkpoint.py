"""Reading weight files that came from elsewhere."""

import errno
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, is_main_process
from torch import Tensor

from .hourglass import from_reference, is_reference_hourglass


def read_state_dict(source: str) -> dict[str, Tensor]:
    """Reads the weights of a pose estimator from a file or a URL.

    Files are untrusted: they are read with ``weights_only=True`` and the allow-list
    of :mod:`fpd_mmpose.compat`. Files of the released FPD code (``model_best.pth``,
    ``checkpoint.pth``) get the names used here.

    Args:
        source (str): Path, or http(s) URL (downloaded once, into torch's hub cache).

    Returns:
        dict: Names and tensors, on the CPU.

    Raises:
        ValueError: If there is no such file, it cannot be read, asks for types that
            are not allowed, or holds no weights. One line, naming the file.
    """
    checkpoint = _read(str(source))
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get('state_dict'), dict):
        checkpoint = checkpoint['state_dict']
    if (
        not isinstance(checkpoint, dict)
        or not checkpoint
        or not all(isinstance(value, Tensor) for value in checkpoint.values())
    ):
        raise ValueError(
            f'"{source}" holds no weights: expected a state dict, or a checkpoint '
            'with the key "state_dict"'
        )
    state_dict = dict(checkpoint)
    if is_reference_hourglass(state_dict):
        try:
            return from_reference(state_dict)
        except ValueError as error:
            raise ValueError(f'"{source}" cannot be converted: {error}') from error
    return {name.removeprefix('module.'): value for name, value in state_dict.items()}


def _read(source: str) -> Any:
    is_url = source.startswith(('http://', 'https://'))
    if not is_url:
        path = Path(source).expanduser()
        if not path.exists():
            raise ValueError(f'"{source}" does not exist (looked from {Path.cwd()})')
        if not path.is_file():
            raise ValueError(f'"{source}" is not a file')
    try:
        if is_url:
            return _download(source)
        return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        raise ValueError(_explain(source, error)) from error


def _download(url: str) -> Any:
    # The main process fills the cache before the others read it.
    if not is_main_process():
        barrier()
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location='cpu', weights_only=True
        )
    finally:
        if is_main_process():
            barrier()


def _explain(source: str, error: Exception) -> str:
    detail = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, pickle.UnpicklingError):
        asked = re.search(r'(?:GLOBAL|Unsupported class) (\S+)', str(error))
        if asked:
            return (
                f'"{source}" is refused: it asks to run {asked[1]}, and only tensors, '
                'NumPy values and mmengine logs are read from a weight file'
            )
        refused = re.search(r'refused: .*', str(error))
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
