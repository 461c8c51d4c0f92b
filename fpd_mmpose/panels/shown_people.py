"""The people that are shown: their crops, and their labels in pixels of the crop."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets import CombinedDataset
from mmpose.datasets.transforms import PackPoseInputs

from fpd_mmpose.checks.samples import spread
from fpd_mmpose.errors import UserError

Step = Callable[[dict], dict]
#: What changes samples at random, beside MMPose's transforms named `Random...`.
_RANDOM = ('Albumentation', 'PhotometricDistortion', 'YOLOXHSVRandomAug')


class ShownPerson(NamedTuple):
    """A person as the network sees it.

    Attributes:
        name: The name of the image.
        image: The crop, uint8 RGB, (H, W, 3).
        keypoints: In pixels of the crop, (K, 2).
        visible: Whether each of them is labeled, (K,) bool; none is without labels.
        sample: What the pipeline packs, to be collated.
    """

    name: str
    image: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    sample: dict[str, Any]


def show_people(dataset: Any, count: int, augmented: bool) -> list[ShownPerson]:
    """Runs evenly spaced people of a dataset through its pipeline.

    Of several datasets in a wrapper, each shows as many. Steps that change a sample at
    random are left out unless the people are to be ``augmented``.

    Raises:
        UserError: If the dataset is empty, or crops no single person.
    """
    sources = [source for source in _sources(dataset) if len(source[0])]
    if not sources:
        raise UserError('there is nobody to show: the dataset is empty')
    rows = [
        spread(range(len(leaf)), len(range(turn, count, len(sources))))
        for turn, (leaf, _) in enumerate(sources)
    ]
    people = []
    for position in range(max(map(len, rows))):
        for (leaf, steps), row in zip(sources, rows, strict=True):
            if position < len(row):
                people.append(_show(leaf, row[position], steps, augmented))
    return people


def find_people(
    dataset: Any, people: Sequence[tuple[str, Any]]
) -> dict[tuple[str, Any], ShownPerson]:
    """Runs people of a dataset, by image and id, through its pipeline.

    Those that it does not have are left out. Nothing is augmented.
    """
    found = {}
    for leaf, steps in _sources(dataset):
        for row in range(len(leaf)):
            record = BaseDataset.get_data_info(leaf, row)
            key = record.get('img_path'), record.get('id')
            if key in people:
                found[key] = _show(leaf, row, steps, augmented=False)
    return found


def _sources(
    dataset: Any, outer: Sequence[Step] = ()
) -> Iterator[tuple[BaseDataset, list[Step]]]:
    """Yields the datasets that read files, and the steps of them and their wrappers."""
    steps = [*getattr(getattr(dataset, 'pipeline', None), 'transforms', ()), *outer]
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset, steps
        return
    if isinstance(dataset, CombinedDataset):
        steps.insert(0, partial(_join, dataset.metainfo))
    for one in inner:
        yield from _sources(one, steps)


def _join(metainfo: dict[str, Any], results: dict) -> dict:
    """Does what ``CombinedDataset`` does between its parts' pipelines and its own."""
    keys = ('upper_body_ids', 'lower_body_ids', 'flip_pairs', 'flip_indices')
    packed = 'inputs' in results
    return results if packed else {**results, **{key: metainfo[key] for key in keys}}


def _show(
    dataset: BaseDataset, index: int, steps: Sequence[Step], augmented: bool
) -> ShownPerson:
    results = dataset.get_data_info(index)
    name = Path(str(results.get('img_path', index))).name
    image, keypoints, visible = None, np.empty(0), np.empty(0)
    for step in steps:
        kind = type(step).__name__
        if kind.startswith(('Random', *_RANDOM)) and not augmented:
            continue
        if isinstance(step, PackPoseInputs):
            image = results.get('img')
            keypoints = np.asarray(results.get('transformed_keypoints', ()))
            visible = np.asarray(results.get('keypoints_visible', ()))
        results = step(results)
    if image is None or 'inputs' not in results:
        raise UserError(
            f'{type(dataset).__name__} has no PackPoseInputs at the end of its '
            'pipeline, so its people cannot be shown'
        )
    if keypoints.ndim != 3 or len(keypoints) != 1:  # none, as of images without labels
        keypoints, visible = np.zeros((1, 0, 2)), np.zeros((1, 0))
    if visible.ndim == 3:  # with weights
        visible = visible[..., 0]
    rgb = np.ascontiguousarray(np.clip(image, 0, 255).astype(np.uint8)[..., ::-1])
    return ShownPerson(name, rgb, keypoints[0, :, :2], visible[0] > 0, results)
