"""Checks the datasets, weights, and metrics of a config."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from torch import nn

from fpd_mmpose.checks.expected_files import (
    IMAGE_FOLDER,
    check_files,
    check_metrics,
    check_model_files,
)
from fpd_mmpose.checks.findings import Report, one_line
from fpd_mmpose.checks.images import Images, check_images
from fpd_mmpose.checks.last_batch import check_batch_of_one, size_of_last_batch
from fpd_mmpose.checks.network import build_network, check_targets, quiet
from fpd_mmpose.checks.records import People
from fpd_mmpose.checks.samples import draw_people, spread, try_pipeline
from fpd_mmpose.checks.settings import settings_problems, try_training
from fpd_mmpose.config import (
    leaf_datasets,
    load_config,
    set_data_root,
    set_fields,
    splits_of,
)


@dataclass
class _Content:
    """A dataset that could be built, with its images."""

    people: People
    images: Images

    @property
    def readable(self) -> list[int]:
        """The records whose images were opened."""
        records = self.people.images
        return sorted(index for path in self.images.sizes for index in records[path])


def check(
    config: str | Path | dict | Config,
    data: str | Path | None = None,
    *,
    images: int | None = 200,
    pictures: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """Checks a config's data, weights, and settings before a long run.

    Args:
        config: Config of the run, see :func:`fpd_mmpose.config.load_config`.
        data: Folder of the dataset, in place of the config's ``data_root``.
        images: Number of images to open from each dataset; None opens all.
        pictures: Folder for images of a few people with their keypoints and boxes.
        options: Other config fields by dotted name.

    Returns:
        The report; the run would fail if it has any ``problems``. ``print`` shows it.

    Raises:
        UserError: If the config cannot be read, or there is no such folder.

    Example:
        >>> import fpd_mmpose
        >>> report = fpd_mmpose.check('hourglass/hg4_128_mpii.py')
        >>> any('annotations' in problem for problem in report.problems)
        True
    """
    config = copy.deepcopy(load_config(config))
    if data is not None:
        set_data_root(config, data)
    set_fields(config, options or {})
    init_default_scope(config.get('default_scope') or 'mmpose')
    report = Report(str(config.filename or 'config'))
    person, samples = None, 0
    rng = np.random.default_rng(0)
    contents: dict[str, list[_Content]] = {}
    splits = splits_of(config)
    if not splits:
        report.problems.append(
            f'{report.config} has no train_dataloader, val_dataloader or '
            'test_dataloader: use the config of a run'
        )
    for split, loader in splits:
        datasets = list(leaf_datasets(loader['dataset']))
        contents[split] = []
        for number, settings in enumerate(datasets, 1):
            several = f' {number} of {len(datasets)}' if len(datasets) > 1 else ''
            title = f'{split}{several}'
            content = _check_dataset(title, settings, images, rng, report)
            if content is None:
                continue
            contents[split].append(content)
            if pictures is not None:
                draw_people(pictures, title, content.people, content.readable)
        found = _try_pipeline(split, loader, datasets, contents[split], config, report)
        if split.startswith('train'):
            person = found
            samples = sum(len(each.people.dataset) for each in contents[split])
    for split in contents:
        if split != 'train':
            _check_leak(contents.get('train', []), contents[split], split, report)
    wrong = list(settings_problems(config))
    report.problems += wrong
    problems = len(report.problems)
    check_model_files(config, report)
    model = build_network(config, report, load=len(report.problems) == problems)
    if model is not None and not wrong:
        try:
            with quiet():
                try_training(config, model)
        except Exception as error:  # of any type: it would stop the run, too
            report.problems.append(one_line(error))
        if person is not None:
            _check_training(model, config.train_dataloader, person, samples, report)
    check_metrics(config, report)
    return report


def _check_dataset(
    title: str,
    settings: dict,
    num_images: int | None,
    rng: np.random.Generator,
    report: Report,
) -> _Content | None:
    report.section(title)['dataset'] = settings.get('type')
    missing = check_files(title, settings, report)
    if 'ann_file' in missing or (IMAGE_FOLDER in missing and settings.get('images')):
        return None
    # Check the rest without the missing files, which were reported.
    present = {key: value for key, value in settings.items() if key not in missing}
    try:
        dataset = DATASETS.build({**present, 'pipeline': []})
        people = People(dataset, detections=bool(present.get('bbox_file')))
    except Exception as error:  # of any type: it would stop the run, too
        report.problems.append(f'{title}: {one_line(error)}')
        return None
    if not people.images:
        report.problems.append(
            f'{title}: no person of "{dataset.ann_file}" is left: is it the right file?'
        )
        return None
    people.describe(title, report)
    images = Images()
    if IMAGE_FOLDER not in missing:
        images = check_images(title, people, num_images, rng, report)
    return _Content(people, images)


def _try_pipeline(
    split: str,
    loader: dict,
    datasets: list[dict],
    contents: list[_Content],
    config: Config,
    report: Report,
) -> Any:
    # Datasets that cannot be used were reported.
    if len(contents) < len(datasets) or not all(each.readable for each in contents):
        report.section(split)['pipeline'] = 'not tried, see the problems'
        return None
    if datasets[0] is not loader['dataset']:
        return try_pipeline(split, loader, config, report)
    (content,) = contents
    chosen = [*spread(content.readable), *content.images.suspects]
    return try_pipeline(split, loader, config, report, content.people.dataset, chosen)


def _check_training(
    model: nn.Module, loader: dict, person: Any, samples: int, report: Report
) -> None:
    """Reports targets of another shape, and a last batch that cannot be trained on."""
    try:
        check_targets(model, person)
        batch_size = loader.get('batch_size') or 0
        if loader.get('batch_sampler') or not batch_size:
            return
        endless = (loader.get('sampler') or {}).get('type') == 'InfiniteSampler'
        drop_last = loader.get('drop_last', False)
        if size_of_last_batch(samples, batch_size, drop_last, endless) == 1:
            check_batch_of_one(model, person['inputs'].shape, samples)
    except Exception as error:  # of any type: it would stop the run, too
        report.problems.append(f'train: {one_line(error)}')


def _check_leak(
    train: list[_Content], other: list[_Content], split: str, report: Report
) -> None:
    """Warns about images that are in both training and another split."""
    mine = {Path(p).absolute(): p for each in train for p in each.people.images}
    theirs = {Path(p).absolute() for each in other for p in each.people.images}
    if shared := [mine[path] for path in mine if path in theirs]:
        report.warnings.append(
            f'images in both train and {split}: {len(shared):,}, the first '
            f'"{shared[0]}": remove them from one, because they distort the score'
        )
    contents = {d: p for each in train for p, d in each.images.digests.items()}
    copies = [
        (contents[digest], path)
        for each in other
        for path, digest in each.images.digests.items()
        if digest in contents and Path(path).absolute() not in mine
    ]
    if copies:
        report.warnings.append(
            f'opened images of {split} that are copies of training images under '
            f'another name: {len(copies):,}, the first "{copies[0][1]}" of '
            f'"{copies[0][0]}": remove them from one, because they distort the score'
        )
