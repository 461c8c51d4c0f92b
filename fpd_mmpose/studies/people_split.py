"""Splits the people of a dataset into labeled and unlabeled ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_json
from fpd_mmpose.readers.text import read_json


def split_people(
    root: str | Path,
    labels: int,
    seed: int,
    ann_file: str = 'annotations/mpii_train.json',
    name: str = '',
) -> tuple[Path, Path]:
    """Chooses so many labeled people, and hides the keypoints of the others.

    ``ann_file`` are MPII's annotations of all, relative to the dataset's ``root``.
    Returns the files beside it with the labeled people, as MPII's annotations, and with
    the boxes of the others: ``labeled_NAMESEED.json`` and ``unlabeled_NAMESEED.json``.
    """
    path = Path(root) / ann_file
    boxes = [info['bbox'][0] for info in FPDMpiiDataset(str(path))]
    people = read_json(path, 'a list of MPII people')
    if not 0 < labels < len(people):
        raise UserError(
            f'labels must be at least 1 and less than the {len(people)} people of '
            f'"{path}", got {labels}'
        )
    order = np.random.default_rng(seed).permutation(len(people))
    labeled = path.with_name(f'labeled_{name}{seed}.json')
    unlabeled = path.with_name(f'unlabeled_{name}{seed}.json')
    write_json(labeled, [people[index] for index in sorted(order[:labels])])
    others = [(people[index]['image'], boxes[index]) for index in order[labels:]]
    write_json(unlabeled, _coco_boxes(others))
    return labeled, unlabeled


def _coco_boxes(people: Sequence[tuple[str, np.ndarray]]) -> dict:
    names = list(dict.fromkeys(name for name, _ in people))
    ids = {name: index for index, name in enumerate(names, 1)}
    return dict(
        images=[dict(id=ids[name], file_name=name) for name in names],
        annotations=[
            dict(
                id=index,
                image_id=ids[name],
                category_id=1,
                bbox=[*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
            )
            for index, (name, box) in enumerate(people, 1)
        ],
        categories=[dict(id=1, name='person')],
    )
