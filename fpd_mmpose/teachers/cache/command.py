"""What ``tools/cache_teacher.py`` does."""

from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

import fpd_mmpose  # noqa: F401
from fpd_mmpose.teachers.cache.deviation import as_table, compare
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.writer import CacheWriter


def write_cache(
    config: Config,
    path: str | None = None,
    batch_size: int = 8,
    workers: int = 0,
    limit: int | None = None,
    **options: Any,
) -> str:
    """Stores a teacher's heatmaps.

    Args:
        config (Config): The config for distillation.
        path (str, optional): The file. Defaults to ``model.teacher.cache``.
        batch_size (int): Defaults to 8.
        workers (int): Processes that read images. Defaults to 0.
        limit (int, optional): Look at the first people only. Defaults to all.
        **options (Any): ``zooms``, ``flip`` and ``device`` of
            :class:`CacheWriter`.

    Returns:
        str: How large the file is.

    Raises:
        ValueError: See :class:`CacheWriter`; or no file is named. One line.
    """
    init_default_scope('mmpose')
    path = _path(config, path)
    for name, value in (('--batch-size', batch_size), ('--limit', limit)):
        if value is not None and value < 1:
            raise ValueError(f'{name} must be 1 or more, got {value}')
    writer = CacheWriter(config, path, **options)
    writer.run(batch_size, workers, limit)
    return f'{path}: {_size(writer.store)}'


def compare_cache(config: Config, path: str | None, samples: int, device: str) -> str:
    """Compares stored heatmaps with those of the network.

    Args:
        config (Config): The config for distillation.
        path (str, optional): The file. Defaults to ``model.teacher.cache``.
        samples (int): How many, drawn as in training.
        device (str): Of the network.

    Returns:
        str: A table, and how large the file is.

    Raises:
        ValueError: See :func:`~fpd_mmpose.teachers.cache.deviation.compare`. One line.
    """
    init_default_scope('mmpose')
    path = _path(config, path)
    table = as_table(compare(config, path, samples, device))
    return f'{table}\n\n{path}: {_size(HeatmapStore(path))}'


def _path(config: Config, path: str | None) -> str:
    path = path or (config.model.get('teacher') or {}).get('cache')
    if not path:
        raise ValueError('which file? Give --out, or set model.teacher.cache')
    return path


def _size(store: HeatmapStore) -> str:
    people, size = store.size()
    return (
        f'{people:,} people, {size / 1e6:.1f} MB, '
        f'{size / max(people, 1) / 1000:.2f} MB per 1,000 people'
    )
