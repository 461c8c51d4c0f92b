"""Measures the effect of unlabeled people on a student."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config

from fpd_mmpose.atomic import write_json
from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.datasets.files import read_json
from fpd_mmpose.paths import load_config
from fpd_mmpose.studies.training import folder_name, train_and_score, train_for_steps

TEACHER = 'teacher, labeled part'
PLAIN = 'plain student, labeled part'
FPD = 'FPD, labeled part'
UNLABELED = 'FPD, with the unlabeled part'
LABEL_FREE = 'FPD without labels, all people'
VARIANTS = (TEACHER, PLAIN, FPD, UNLABELED, LABEL_FREE)
#: Labeled people per batch, to which as many unlabeled ones are added.
BATCH = 16


def split_people(root: Path, out: Path, share: float, seed: int) -> tuple[int, int]:
    """Splits the training people, and returns how many are labeled and unlabeled.

    ``out`` gets ``labeled.json``, with a share in (0, 1) of the MPII records, and
    ``unlabeled.json`` and ``everyone.json``, with boxes only.
    """
    path = root / 'annotations/mpii_train.json'
    people = read_json(path, 'a list of MPII people')
    boxes = [info['bbox'][0] for info in FPDMpiiDataset(str(path))]
    order = np.random.RandomState(seed).permutation(len(people))
    count = max(1, round(share * len(people)))
    out.mkdir(parents=True, exist_ok=True)
    labeled = [people[index] for index in sorted(order[:count])]
    write_json(out / 'labeled.json', labeled)
    for name, chosen in (('unlabeled', order[count:]), ('everyone', order)):
        write_json(
            out / f'{name}.json',
            _coco_boxes([(people[index]['image'], boxes[index]) for index in chosen]),
        )
    return count, len(people) - count


def run_variant(
    variant: str, root: Path, out: Path, seed: int, steps: int
) -> dict[str, float]:
    """Trains a variant, or reads its scores, on the split in ``out``.

    The teacher must come before the other variants.
    """
    config = _config(variant, root, out, steps)
    return train_and_score(config, out / folder_name(variant), variant, seed)


def _config(variant: str, root: Path, out: Path, steps: int) -> Config:
    name = 'hg2_64_drawn.py' if variant == TEACHER else 'hg1_32_drawn.py'
    config = load_config(f'configs/quickstart/{name}')
    loader = config.train_dataloader
    for each in (loader, config.val_dataloader, config.test_dataloader):
        each.dataset.data_root = str(root)
    labeled = dict(loader.dataset, ann_file=str((out / 'labeled.json').absolute()))
    unlabeled = dict(
        type='UnlabeledPoseDataset',
        data_root=str(root),
        images='images',
        pipeline=[s for s in loader.dataset.pipeline if s['type'] != 'GenerateTarget'],
    )
    loader.batch_size = BATCH
    if variant == UNLABELED:
        others = dict(unlabeled, ann_file=str((out / 'unlabeled.json').absolute()))
        loader.batch_size = 2 * BATCH
        loader.batch_sampler = dict(type='MixedBatchSampler', source_ratio=[1, 1])
        loader.dataset = dict(
            type='CombinedDataset',
            metainfo=FPDMpiiDataset.METAINFO,
            datasets=[labeled, others],
        )
    elif variant == LABEL_FREE:
        everyone = str((out / 'everyone.json').absolute())
        loader.dataset = dict(unlabeled, ann_file=everyone)
    else:
        loader.dataset = labeled
    if variant in (FPD, UNLABELED, LABEL_FREE):
        config.model.update(
            type='FPDDistiller',
            teacher=dict(
                config='configs/quickstart/hg2_64_drawn.py',
                checkpoint=str(out / folder_name(TEACHER) / 'last.pth'),
            ),
            distill_loss=dict(
                type='HeatmapDistillLoss', alpha=1 if variant == LABEL_FREE else 0.5
            ),
        )
    train_for_steps(config, steps)
    return config


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
