"""Tries the pipeline of a dataset on a few people, and draws them."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, MODELS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.checks.findings import Report, one_line
from fpd_mmpose.checks.records import People, people_of
from fpd_mmpose.datasets.transforms import FPDLoadImage
from fpd_mmpose.files import replace_when_done

NUM_PEOPLE = 8
#: Smaller images are enlarged to this longer side.
LONGER_SIDE = 640
#: What `FPDLoadImage` reads of a record.
SOURCE_KEYS = ('img_path', 'frame_index', 'apply_exif')


def spread(records: Sequence[int], most: int = NUM_PEOPLE) -> list[int]:
    """Chooses up to so many records, evenly spaced."""
    count = min(most, len(records))
    positions = np.linspace(0, len(records) - 1, count).round().astype(int)
    return [records[position] for position in positions]


def try_pipeline(
    title: str,
    loader: dict,
    config: Config,
    report: Report,
    dataset: Any = None,
    records: Sequence[int] = (),
) -> Any:
    """Runs a few people through the pipeline, the collation, and the preprocessor.

    The people are the ``records`` of a ``dataset``, whose pipeline is replaced. Without
    it, the dataset of the loader is built and a few records are chosen. The first of
    them is returned as the pipeline makes it, unless there was a problem.
    """
    started = time.perf_counter()
    try:
        if dataset is None:
            dataset = DATASETS.build(loader['dataset'])
            records = spread(range(len(dataset)))
        else:
            dataset.pipeline = Compose(loader['dataset'].get('pipeline', []))
    except Exception as error:  # of any type: it would stop the run, too
        report.problems.append(f'{title}: its pipeline is wrong: {one_line(error)}')
        return None
    items = []
    for index in records:
        try:
            items.append(dataset[index])
        except Exception as error:
            report.problems.append(
                f'{title}: the pipeline fails on record {index}: {one_line(error)}'
            )
            return None
    try:
        inputs = _batch(items, loader, config, title == 'train')
    except Exception as error:
        report.problems.append(
            f'{title}: {len(items)} people cannot form a batch: {one_line(error)}'
        )
        return None
    shape = ' x '.join(map(str, getattr(inputs, 'shape', ()))) or 'not a tensor'
    seconds = time.perf_counter() - started
    report.section(title)['pipeline'] = f'a batch of {shape} in {seconds:.1f} s'
    if isinstance(inputs, torch.Tensor) and not torch.isfinite(inputs).all():
        report.problems.append(
            f'{title}: the batch has NaN or infinite values: check the mean and std of '
            '`model.data_preprocessor`'
        )
    return items[0] if isinstance(inputs, torch.Tensor) else None


def draw_people(
    folder: str | Path, title: str, people: People, readable: list[int]
) -> None:
    """Draws a few of the readable records; files are named after split and record."""
    visualizer = PoseLocalVisualizer(radius=4, line_width=2)
    visualizer.set_dataset_meta(people.dataset.metainfo, skeleton_style='mmpose')
    load = FPDLoadImage()
    for index in spread(readable):
        record = people.record(index)
        # Without the box, which may be outside the image.
        source = {key: record[key] for key in SOURCE_KEYS if key in record}
        image = load(source)['img']
        zoom = max(1.0, LONGER_SIDE / max(image.shape[:2]))
        image = cv2.resize(image, None, fx=zoom, fy=zoom)
        boxes, keypoints, visible = people_of(record)
        truth = InstanceData(bboxes=boxes * zoom)
        if not people.detections:
            truth.keypoints = keypoints * zoom
            truth.keypoints_visible = visible.astype(float)
        name = f'{title.replace(", ", "_").replace(" ", "_")}_{index:06d}.jpg'
        with replace_when_done(Path(folder) / name) as partial:
            visualizer.add_datasample(
                title,
                image[..., ::-1],
                PoseDataSample(gt_instances=truth),
                draw_pred=False,
                draw_bbox=True,
                out_file=str(partial),
            )


def _batch(items: list, loader: dict, config: Config, training: bool) -> Any:
    settings = dict(
        dataset=items,
        batch_size=len(items),
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    if 'collate_fn' in loader:
        settings['collate_fn'] = loader['collate_fn']
    batch = next(iter(Runner.build_dataloader(settings)))
    if preprocessor := config.model.get('data_preprocessor'):
        batch = MODELS.build(preprocessor)(batch, training)
    return batch['inputs']
