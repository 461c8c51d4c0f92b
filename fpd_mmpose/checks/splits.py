"""Walks the datasets and metrics of a config."""

from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from fpd_mmpose.errors import UserError

SPLITS = ('train', 'val', 'test')
#: Options of datasets and metrics that name a file.
FILE_OPTIONS = ('ann_file', 'bbox_file', 'headbox_file', 'gt_file')


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


def _loaders(config: Config) -> list[tuple[str, dict]]:
    loaders = [(split, config.get(f'{split}_dataloader')) for split in SPLITS]
    return [(split, loader) for split, loader in loaders if loader]
