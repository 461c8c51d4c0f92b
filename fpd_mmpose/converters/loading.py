"""Lets mmengine's checkpoint loader take the files of other projects."""

import functools
from collections.abc import Callable
from typing import Any

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader, load_from_local

from .checkpoint import download, rename, why_unreadable
from .layouts import recognise


def install() -> None:
    """Puts the conversion of names behind ``load_from`` and all that loads like it.

    ``load_from``, ``tools/test.py``, ``init_model``, ``MMPoseInferencer`` and
    ``init_cfg=dict(type='Pretrained', ...)`` then take pose weights of the reference,
    of official HRNet and of SimpleBaseline from a path or an http(s) URL: their names
    become those of a pose estimator. So ``Pretrained`` on a backbone needs
    ``prefix='backbone.'`` for them, as it does for any pose estimator's checkpoint.
    Other files, ImageNet's included, pass unchanged.

    Files that cannot be read raise a :class:`ValueError` of one line. URLs are read
    as restrictively as local files, where torch's hub lets them run anything.

    Idempotent.
    """
    CheckpointLoader.register_scheme('', _converting(load_from_local), force=True)
    CheckpointLoader.register_scheme(
        ('http://', 'https://'), _converting(load_from_http), force=True
    )


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """Reads a URL, once a machine, from torch's hub cache.

    Args:
        filename (str): The URL.
        map_location: As of :func:`torch.load`. Defaults to ``None``.

    Returns:
        Any: What the file holds.
    """
    # None: torch's default for files, which is what mmengine reads local ones with.
    return download(filename, map_location, weights_only=None)


def _converting(load: Callable[..., Any]) -> Callable[..., Any]:
    # mmengine logs the name of the loader, which wraps() keeps.
    @functools.wraps(load)
    def load_and_convert(filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            checkpoint = load(filename, *args, **kwargs)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(why_unreadable(filename, error)) from error
        return _convert(checkpoint, filename)

    return load_and_convert


def _convert(checkpoint: Any, filename: str) -> Any:
    if not isinstance(checkpoint, dict):
        return checkpoint
    state_dict = checkpoint.get('state_dict')
    if not isinstance(state_dict, dict):
        state_dict = checkpoint
    layout = recognise(state_dict)
    if layout is None or not layout.is_foreign_pose:
        return checkpoint
    print_log(
        f'"{filename}" holds {layout.title}: their names become those of a pose '
        'estimator',
        logger='current',
    )
    return dict(state_dict=rename(state_dict, layout, filename))
