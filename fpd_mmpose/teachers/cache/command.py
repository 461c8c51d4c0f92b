"""Stores a teacher's heatmaps, or compares them with the network's."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from fpd_mmpose.config import load_config
from fpd_mmpose.devices import pick_device
from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.cache.deviation import as_table, compare
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.writer import ZOOMS, CacheWriter


def cache_teacher(
    config: str | Path | dict | Config,
    out: str | Path | None = None,
    *,
    zooms: Sequence[float] = ZOOMS,
    flip_test: bool = False,
    device: str = 'auto',
    batch_size: int = 8,
    workers: int = 0,
    limit: int | None = None,
) -> str:
    """Stores a teacher's heatmaps, so that students train without its network.

    An interrupted call continues when repeated; several processes share the work.

    Args:
        config: Config of the distillation, see :func:`fpd_mmpose.config.load_config`.
        out: The file to write. Defaults to ``model.teacher.cache``.
        zooms: The teacher sees each person's padded box times each of these factors.
        flip_test: Whether heatmaps are averaged with those of the flipped image.
        device: Where the teacher runs; ``'auto'`` takes a GPU if there is one.
        batch_size: Crops at a time.
        workers: Processes that read images.
        limit: Store the first so many people only. Defaults to all.

    Returns:
        One line that names the file and says how many people it holds.

    Raises:
        UserError: If the teacher or the data cannot be used, the file belongs to
            another teacher or other data, or no file is named.

    Example:
        >>> import fpd_mmpose
        >>> fpd_mmpose.cache_teacher(  # doctest: +SKIP
        ...     'fpd/hg4_128_fpd_mpii.py', 'data/mpii/teacher.sqlite', workers=4
        ... )
        'data/mpii/teacher.sqlite: 22,246 people, ...'
    """
    init_default_scope('mmpose')
    config = load_config(config)
    path = _path(config, out)
    for name, value in (('batch_size', batch_size), ('limit', limit)):
        if value is not None and value < 1:
            raise UserError(f'{name} must be 1 or more, got {value}')
    writer = CacheWriter(
        config, path, zooms=zooms, flip=flip_test, device=pick_device(device)
    )
    writer.run(batch_size, workers, limit)
    return f'{path}: {_size(writer.store)}'


def compare_cache(config: Config, path: str | None, samples: int, device: str) -> str:
    """Compares stored heatmaps with the network's on training samples, as a table."""
    init_default_scope('mmpose')
    path = _path(config, path)
    table = as_table(compare(config, path, samples, pick_device(device)))
    return f'{table}\n\n{path}: {_size(HeatmapStore(path))}'


def _path(config: Config, path: str | Path | None) -> str:
    path = path or (config.model.get('teacher') or {}).get('cache')
    if not path:
        raise UserError('no file is named: pass one, or set model.teacher.cache')
    return str(path)


def _size(store: HeatmapStore) -> str:
    people, size = store.size()
    return (
        f'{people:,} people, {size / 1e6:.1f} MB, '
        f'{size / max(people, 1) / 1000:.2f} MB per 1,000 people'
    )
