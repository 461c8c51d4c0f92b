"""Finds, reads, and walks configs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpd_mmpose.errors import UserError, first_line

if TYPE_CHECKING:
    # Imported late elsewhere: it takes seconds, and a mistyped name should not wait.
    from mmengine.config import Config

#: Starts the name of a config that is looked for in this package alone.
PREFIX = 'fpd_mmpose::'
_PACKAGE = Path(__file__).resolve().parent
#: The dataloaders of a config.
SPLITS = ('train', 'val', 'test')
#: Options of datasets and metrics that name a file.
FILE_OPTIONS = ('ann_file', 'bbox_file', 'headbox_file', 'gt_file')


def config_root() -> Path:
    """Returns the ``configs`` folder of the installed package or of the checkout."""
    installed = _PACKAGE / '.mim' / 'configs'
    return installed if installed.is_dir() else _PACKAGE.parent / 'configs'


def load_config(source: str | Path | dict | Config) -> Config:
    """Finds and reads a config, which must have a ``model``.

    ``source`` is a path, relative to the working directory or to this package's
    ``configs`` folder; a name such as ``mmpose::body_2d_keypoint/...``; or the content
    of a config or of its ``model``. A ``Config`` is returned as it is.
    """
    if isinstance(source, str | Path):
        foreign = '::' in str(source) and not str(source).startswith(PREFIX)
        source = str(source) if foreign else find_config(source)
    from mmengine.config import Config, ConfigDict

    if isinstance(source, Config):
        config = source
    elif isinstance(source, dict):
        content = ConfigDict(source)
        config = Config(content if 'model' in content else dict(model=content))
    elif isinstance(source, str):
        from mmengine.hub import get_config

        try:
            config = get_config(source)
        except Exception as error:
            raise UserError(f'config "{source}" cannot be read: {error}') from error
    else:
        try:
            config = Config.fromfile(source)
        except Exception as error:
            reason = first_line(error)
            if reason.startswith('Failed to import custom modules'):
                reason = f'{first_line(_import_error(error))}; is it on PYTHONPATH?'
            if isinstance(error, UnicodeDecodeError) or 'U+FEFF' in reason:
                reason += '; save it as UTF-8 without a byte order mark'
            raise UserError(
                f'config "{source}" cannot be read: {type(error).__name__}: {reason}'
            ) from error
    if 'type' not in config.get('model', {}):
        raise UserError(
            f'config "{source}" has no `model`: expected the config of a run or a model'
        )
    return config


def _import_error(error: Exception) -> Exception:
    """Returns the first of the import errors that led to this one."""
    earlier = error.__cause__ or error.__context__
    return _import_error(earlier) if isinstance(earlier, ImportError) else error


def find_config(name: str | Path) -> Path:
    """Finds a config file in the working directory or in this package.

    Names such as ``fpd_mmpose::hourglass/hg4_128_mpii.py`` are those of the package.
    """
    prefixed = str(name).startswith(PREFIX)
    path = Path(str(name).removeprefix(PREFIX))
    packaged = config_root() / Path(*path.parts[path.parts[:1] == ('configs',) :])
    for candidate in (packaged,) if prefixed else (path.expanduser(), packaged):
        if candidate.is_file():
            return candidate
    here = '' if prefixed else f'{Path.cwd()} and '
    raise UserError(f'config "{name}" does not exist: looked in {here}{config_root()}')


def splits_of(config: Config) -> list[tuple[str, dict]]:
    """Lists the dataloaders, identical ones once, under names such as "val, test"."""
    found: list[tuple[str, dict]] = []
    for split, loader in _loaders(config):
        for position, (names, other) in enumerate(found):
            if other == loader:
                found[position] = (f'{names}, {split}', other)
                break
        else:
            found.append((split, loader))
    return found


def leaf_datasets(settings: dict) -> Iterator[dict]:
    """Yields the settings of the datasets that read files, inside any wrappers."""
    inner = list(settings.get('datasets') or [])
    if isinstance(settings.get('dataset'), dict):
        inner.append(settings['dataset'])
    if not inner:
        yield settings
    for each in inner:
        yield from leaf_datasets(each)


def metrics_of(config: Config, split: str) -> list[dict]:
    """Lists the settings of the metrics of a split."""
    evaluator = config.get(f'{split}_evaluator') or []
    if isinstance(evaluator, dict):
        evaluator = evaluator.get('metrics', evaluator)
    return [evaluator] if isinstance(evaluator, dict) else list(evaluator)


def set_data_root(config: Config, root: str | Path) -> None:
    """Moves the datasets of a config, and the files of its metrics, to another folder.

    The config is changed in place.
    """
    if not Path(root).is_dir():
        raise UserError(f'the data root "{root}" is not a folder')
    loaders = [loader for _, loader in _loaders(config)]
    datasets = [leaf for loader in loaders for leaf in leaf_datasets(loader['dataset'])]
    metrics = [metric for split in SPLITS for metric in metrics_of(config, split)]
    old_roots = {old for leaf in datasets if (old := leaf.get('data_root'))}
    for settings in datasets:
        settings['data_root'] = str(root)
    # Files of metrics, and some of stock datasets, include the root.
    for settings in (*datasets, *metrics):
        for option in FILE_OPTIONS:
            for old in old_roots:
                path = Path(settings.get(option) or '')
                if path.is_relative_to(old):
                    settings[option] = str(Path(root) / path.relative_to(old))
                    break


def field(settings: Any, name: str) -> Any:
    """Returns a field of a config by its dotted name; None if there is none."""
    for part in name.split('.'):
        settings = settings.get(part) if hasattr(settings, 'get') else None
    return settings


def set_fields(config: Config, options: Mapping[str, Any]) -> None:
    """Changes fields of a config, in place, by dotted name."""
    try:
        config.merge_from_dict(dict(options))
    except (KeyError, TypeError) as error:
        detail = error.args[0] if error.args else error
        raise UserError(f'options: {detail}') from error


def _loaders(config: Config) -> list[tuple[str, dict]]:
    loaders = [(split, config.get(f'{split}_dataloader')) for split in SPLITS]
    return [(split, loader) for split, loader in loaders if loader]
