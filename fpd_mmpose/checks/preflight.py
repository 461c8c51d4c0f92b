"""What a run checks before its first step, rather than at its first validation."""

import os
from collections.abc import Iterator
from typing import Any

from mmengine.dataset import BaseDataset, InfiniteSampler
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from mmpose.models.pose_estimators.base import BasePoseEstimator
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import BatchSampler, DataLoader

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.checks.best_score import check_best_score
from fpd_mmpose.checks.last_batch import check_batch_of_one, size_of_last_batch
from fpd_mmpose.checks.network import check_targets
from fpd_mmpose.checks.samples import spread
from fpd_mmpose.errors import UserError
from fpd_mmpose.random_state import random_state_kept
from fpd_mmpose.readers.media import exif_orientation

#: How many images of a dataset are opened, and of how many it is checked they exist.
OPENED, LOOKED_FOR = 16, 2000


def check_before_training(runner: Runner) -> None:
    """Raises the error that the run would end with after an epoch.

    It looks at the score of ``save_best``, the images of both datasets, the first
    person of each, the shape of the targets, and the batches of an epoch. The state of
    random numbers is kept.
    """
    check_best_score(runner.cfg)
    with random_state_kept():
        if is_main_process():
            for loader in (runner.train_dataloader, _validation(runner)):
                for dataset in _leaves(getattr(loader, 'dataset', None)):
                    _check_images(dataset, runner)
        _check_batches(runner)
        if dataset := getattr(_validation(runner), 'dataset', None):
            # Its errors name the record and the image.
            dataset[0]


def _validation(runner: Runner) -> DataLoader | None:
    return getattr(runner.val_loop, 'dataloader', None)


def _leaves(dataset: Any) -> Iterator[BaseDataset]:
    if isinstance(dataset, BaseDataset) and not hasattr(dataset, 'datasets'):
        yield dataset
    for inner in getattr(dataset, 'datasets', None) or [
        getattr(dataset, 'dataset', None)
    ]:
        if inner is not None:
            yield from _leaves(inner)


def _check_images(dataset: BaseDataset, runner: Runner) -> None:
    def record_of(index: int) -> dict:
        return BaseDataset.get_data_info(dataset, index)

    paths: dict[str, int] = {}
    for index in spread(range(len(dataset)), LOOKED_FOR):
        path = record_of(index).get('img_path')
        if isinstance(path, str) and '://' not in path:
            paths.setdefault(path, index)
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        raise UserError(
            f'"{dataset.ann_file}" names images that do not exist, {len(missing)} of '
            f'{len(paths)}; the first is "{missing[0]}" of record {paths[missing[0]]}: '
            'add the images, or correct `data_root` and `data_prefix`'
        )
    turned = [
        path
        for index in spread(range(len(dataset)), OPENED)
        for record in [record_of(index)]
        if (path := str(record.get('img_path'))) in paths
        and record.get('apply_exif') is False
        and exif_orientation(path) > 1
    ]
    if turned:
        runner.logger.warning(
            f'"{turned[0]}" of "{dataset.ann_file}" has an EXIF orientation, which is '
            'ignored: if people were annotated in the turned image, set '
            'apply_exif=True in the dataset'
        )


def _check_batches(runner: Runner) -> None:
    loader, model = runner.train_dataloader, bare_model(runner.model)
    if not isinstance(model, BasePoseEstimator):
        return
    person = loader.dataset[0]
    # Other wrappers spread the weights over processes.
    if isinstance(runner.model, BasePoseEstimator | DistributedDataParallel):
        check_targets(model, person)
    batches: Any = loader.batch_sampler
    if type(loader.batch_sampler) is not BatchSampler:
        return
    samples = len(batches.sampler)
    endless = isinstance(batches.sampler, InfiniteSampler)
    smallest = size_of_last_batch(
        samples, batches.batch_size, batches.drop_last, endless
    )
    if smallest == 1:
        check_batch_of_one(model, person['inputs'].shape, samples)
