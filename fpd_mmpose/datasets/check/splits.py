"""The datasets that a config names."""

from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

#: The loaders of a config.
SPLITS = ('train', 'val', 'test')
#: Options of datasets and metrics that name a file.
FILE_OPTIONS = ('ann_file', 'bbox_file', 'headbox_file', 'gt_file')


def splits_of(config: Config) -> list[tuple[str, dict]]:
    """Gives the loaders of a config, identical ones once.

    Args:
        config (Config): The config.

    Returns:
        list[tuple[str, dict]]: Names such as ``'train'`` or ``'val, test'``, and the
        loaders' settings.
    """
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
    """Goes through wrappers down to the datasets that read files.

    Args:
        settings (dict): Settings of a dataset, or of a wrapper with ``dataset`` or
            ``datasets``.

    Yields:
        dict: Settings of a dataset which wraps no other.
    """
    inner = list(settings.get('datasets') or [])
    if isinstance(settings.get('dataset'), dict):
        inner.append(settings['dataset'])
    if not inner:
        yield settings
    for each in inner:
        yield from leaf_datasets(each)


def metrics_of(config: Config, split: str) -> list[dict]:
    """Gives the settings of the metrics of a split.

    Args:
        config (Config): The config.
        split (str): ``'val'`` or ``'test'``.

    Returns:
        list[dict]: Settings of metrics.
    """
    evaluator = config.get(f'{split}_evaluator') or []
    if isinstance(evaluator, dict):
        evaluator = evaluator.get('metrics', evaluator)
    return [evaluator] if isinstance(evaluator, dict) else list(evaluator)


def set_data_root(config: Config, root: str | Path) -> None:
    """Lets every dataset, and the files of the metrics with them, be in a folder.

    Args:
        config (Config): The config, changed in place.
        root (str | Path): The folder.

    Raises:
        ValueError: If there is no such folder.
    """
    if not Path(root).is_dir():
        raise ValueError(f'--data-root: "{root}" is not a folder')
    loaders = [loader for _, loader in _loaders(config)]
    datasets = [leaf for loader in loaders for leaf in leaf_datasets(loader['dataset'])]
    metrics = [metric for split in SPLITS for metric in metrics_of(config, split)]
    old_roots = {settings.get('data_root') for settings in datasets} - {None, ''}
    for settings in datasets:
        settings['data_root'] = str(root)
    # Metrics, and the stock datasets for some files, name the root in front.
    for settings in (*datasets, *metrics):
        for option in FILE_OPTIONS:
            for old in old_roots:
                path = Path(settings.get(option) or '')
                if path.is_relative_to(old):
                    settings[option] = str(Path(root) / path.relative_to(old))
                    break


def _loaders(config: Config) -> list[tuple[str, dict]]:
    loaders = [(split, config.get(f'{split}_dataloader')) for split in SPLITS]
    return [(split, loader) for split, loader in loaders if loader]
