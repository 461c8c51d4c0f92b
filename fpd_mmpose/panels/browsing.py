"""Draws the people of a config as its run would see them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmpose.registry import DATASETS, MODELS

from fpd_mmpose.config import load_config, set_data_root, set_fields
from fpd_mmpose.devices import pick_device
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.panels.drawing import draw_panel
from fpd_mmpose.panels.readings import (
    is_stored,
    read_network,
    read_targets,
    read_teacher,
)
from fpd_mmpose.panels.shown_people import show_people

#: Tiles in a row of the picture.
_TILES = 6


def browse_people(
    config: str | Path,
    out: str | Path | None = None,
    number: int = 16,
    *,
    split: str = 'train',
    seed: int = 0,
    data: str | Path | None = None,
    device: str = 'auto',
    options: Mapping[str, Any] | None = None,
) -> Path:
    """Draws people with their targets and the teacher's heatmaps.

    Args:
        config: Config of the run, as a path or a name.
        out: The folder of the picture. Defaults to ``work_dirs/browse/<config>``.
        number: The number of people, who are spread evenly over the data.
        split: Whose pipeline they go through: ``'train'`` or ``'val'``, which has no
            targets, and whose people a stored teacher does not know.
        seed: Of the augmentation.
        data: The folder of every dataset. Defaults to those of the config.
        device: Where the teacher runs.
        options: Values of config fields, by dotted name.

    Returns:
        The PNG file, named after the split.

    Raises:
        UserError: If the data, the student, or the teacher cannot be used.
    """
    init_default_scope('mmpose')
    if not 0 <= seed < 1 << 32:
        raise UserError(f'seed must be from 0 to {(1 << 32) - 1}, got {seed}')
    settings = load_config(config)
    set_fields(settings, options or {})
    if data is not None:
        set_data_root(settings, data)
    loader = settings.get(f'{split}_dataloader')
    if not loader:
        raise UserError(f'config "{config}" has no {split}_dataloader')
    dataset = DATASETS.build(loader.dataset)
    student = MODELS.build(settings.model).to(pick_device(device))
    set_random_seed(seed)
    people = show_people(dataset, number, augmented=True)
    batch = pseudo_collate([person.sample for person in people])
    batch = student.data_preprocessor(batch, training=False)
    inputs, samples = batch['inputs'], batch['data_samples']
    form, _ = read_network(student, inputs[:1], '')
    readings = []
    if split == 'train':
        readings.append(read_targets(student, form, samples))
    if isinstance(student, FPDDistiller) and not (
        split == 'val' and is_stored(student)
    ):
        student.metainfo = student.metainfo or dataset.metainfo  # names the joints
        student.teacher.prepare(student)
        readings.append(read_teacher(student.teacher, student, form, inputs, samples))
    columns = max(1, _TILES // (1 + len(readings)))
    picture = draw_panel(people, readings, dataset.metainfo, columns)
    folder = Path(out or Path('work_dirs/browse') / Path(settings.filename).stem)
    with replace_when_done(folder / f'{split}.png') as partial:
        cv2.imwrite(str(partial), picture[..., ::-1])
    return folder / f'{split}.png'
