"""Compares a teacher with the labels that its student learns from."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from fpd_mmpose.analysis.label_report import LabelReport
from fpd_mmpose.analysis.labeled_people import LabeledPeople
from fpd_mmpose.analysis.suspicions import find_suspicions
from fpd_mmpose.analysis.teacher_view import view_people
from fpd_mmpose.config import load_config, set_data_root, set_fields
from fpd_mmpose.devices import pick_device
from fpd_mmpose.teachers.joints import metainfo_of


def analyze(
    config: str | Path | dict | Config,
    out: str | Path | None = None,
    *,
    data: str | Path | None = None,
    student: str | None = None,
    split: str = 'train',
    threshold: float = 0.3,
    pictures: int = 50,
    limit: int | None = None,
    device: str = 'auto',
    batch_size: int = 8,
    workers: int = 0,
    options: Mapping[str, Any] | None = None,
) -> LabelReport:
    """Finds labels that contradict a teacher, and writes a page and a file of them.

    Args:
        config: Config of a distillation, see :func:`fpd_mmpose.config.load_config`.
        out: Folder for ``analysis.html`` and ``people.csv``. Defaults to
            ``work_dirs/analyze/<config>``.
        data: Folder of the dataset, in place of the config's ``data_root``.
        student: Checkpoint of the student, to say who it is nearer to.
        split: The people to look at: ``'train'``, ``'val'``, or ``'test'``.
        threshold: Ignore the teacher's keypoints with a lower score, from 0 to 1.
        pictures: How many people the page shows.
        limit: Look at the first so many people only. Defaults to all.
        device: Where the networks run; ``'auto'`` takes a GPU if there is one.
        batch_size: Crops at a time.
        workers: Processes that read images.
        options: Other config fields by dotted name.

    Returns:
        The report; ``print`` shows its table.

    Raises:
        UserError: If the config has no teacher, or teacher, student, or people cannot
            be used.

    Example:
        >>> from fpd_mmpose.analysis.label_analysis import analyze
        >>> report = analyze(  # doctest: +SKIP
        ...     'fpd/hg4_128_fpd_mpii.py', 'labels', limit=1000
        ... )
        >>> print(report)  # doctest: +SKIP
        | joint | labels | median distance | ...
    """
    config = copy.deepcopy(load_config(config))
    if data is not None:
        set_data_root(config, data)
    set_fields(config, options or {})
    init_default_scope(config.get('default_scope') or 'mmpose')
    people = LabeledPeople(config, split, limit)
    view, unread = view_people(
        config, people, student, pick_device(device), batch_size, workers
    )
    metainfo = metainfo_of(config)
    assert metainfo is not None  # people have labels
    suspicions = find_suspicions(view, metainfo['flip_indices'], threshold)
    name = Path(config.filename).stem if config.filename else 'config'
    folder = Path(out or f'work_dirs/analyze/{name}')
    report = LabelReport(people, view, suspicions, unread, metainfo, threshold, folder)
    report.save(pictures)
    return report
