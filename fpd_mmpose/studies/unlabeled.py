"""Do people without labels make a better student?"""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from fpd_mmpose.atomic import replace_when_done
from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.datasets.files import read_json
from fpd_mmpose.paths import load_config

TEACHER = 'teacher, labelled part'
PLAIN = 'plain student, labelled part'
FPD = 'FPD, labelled part'
UNLABELED = 'FPD, with the unlabelled part'
LABEL_FREE = 'FPD without labels, all people'
VARIANTS = (TEACHER, PLAIN, FPD, UNLABELED, LABEL_FREE)
#: Labelled people in a batch; as many unlabelled ones are added to them.
BATCH = 16


def split_people(root: Path, out: Path, share: float, seed: int) -> tuple[int, int]:
    """Takes some of the training people as labelled and the rest as unlabelled.

    Args:
        root (Path): Data in MPII's layout.
        out (Path): Folder for ``labelled.json``, MPII records, and ``unlabelled.json``
            and ``everyone.json``, the same boxes without keypoints.
        share (float): Of the labelled ones, in (0, 1).
        seed (int): Which ones.

    Returns:
        tuple[int, int]: Labelled and unlabelled people.
    """
    path = root / 'annotations/mpii_train.json'
    people = read_json(path, 'a list of MPII people')
    boxes = [info['bbox'][0] for info in FPDMpiiDataset(str(path))]
    order = np.random.RandomState(seed).permutation(len(people))
    count = max(1, round(share * len(people)))
    out.mkdir(parents=True, exist_ok=True)
    labelled = [people[index] for index in sorted(order[:count])]
    _write(out / 'labelled.json', labelled)
    for name, chosen in (('unlabelled', order[count:]), ('everyone', order)):
        _write(
            out / f'{name}.json',
            _coco_boxes([(people[index]['image'], boxes[index]) for index in chosen]),
        )
    return count, len(people) - count


def run_variant(
    variant: str, root: Path, out: Path, seed: int, steps: int
) -> dict[str, float]:
    """Trains one network, or finds its scores.

    Args:
        variant (str): One of :data:`VARIANTS`; the teacher before the others.
        root (Path): Data in MPII's layout.
        out (Path): Folder of this seed, with the split.
        seed (int): Of the initial weights and the draws.
        steps (int): Optimizer steps, the same for all students.

    Returns:
        dict[str, float]: Scores of the last weights on the validation people.
    """
    folder = out / variant.replace(' ', '_').replace(',', '')
    scores = folder / 'scores.json'
    if scores.exists():
        return json.loads(scores.read_text())
    config = _config(variant, root, out, steps)
    config.work_dir = str(folder)
    config.randomness = dict(seed=seed)
    config.experiment_name = config.visualizer.name = f'{folder.name}_{seed}'
    config.custom_hooks = [dict(type='ProgressHook', label=f'{variant}, seed {seed}')]
    config.log_level = 'ERROR'
    config.resume = True
    runner = Runner.from_cfg(config)
    runner.train()
    found = {key: float(value) for key, value in runner.test().items()}
    _write(scores, found)
    return found


def as_markdown(results: dict[str, Sequence[dict[str, float]]]) -> str:
    """Formats the scores of all seeds.

    Args:
        results (dict): By variant, the scores of each seed.

    Returns:
        str: A Markdown table of PCKh@0.5 in percent.
    """
    seeds = max(len(scores) for scores in results.values())
    lines = [
        '| | ' + ' | '.join(f'seed {seed}' for seed in range(seeds)) + ' | mean |',
        '| --- |' + ' ---: |' * (seeds + 1),
    ]
    for variant, scores in results.items():
        means = [one['PCKh/Mean'] for one in scores]
        cells = [f'{mean:.1f}' for mean in (*means, statistics.mean(means))]
        lines.append(f'| {variant} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _config(variant: str, root: Path, out: Path, steps: int) -> Config:
    name = 'hg2_64_drawn.py' if variant == TEACHER else 'hg1_32_drawn.py'
    config = load_config(f'configs/quickstart/{name}')
    loader = config.train_dataloader
    for each in (loader, config.val_dataloader, config.test_dataloader):
        each.dataset.data_root = str(root)
    labelled = dict(loader.dataset, ann_file=str((out / 'labelled.json').absolute()))
    unlabelled = dict(
        type='UnlabeledPoseDataset',
        data_root=str(root),
        images='images',
        pipeline=[s for s in loader.dataset.pipeline if s['type'] != 'GenerateTarget'],
    )
    loader.batch_size = BATCH
    if variant == UNLABELED:
        others = dict(unlabelled, ann_file=str((out / 'unlabelled.json').absolute()))
        loader.batch_size = 2 * BATCH
        loader.batch_sampler = dict(type='MixedBatchSampler', source_ratio=[1, 1])
        loader.dataset = dict(
            type='CombinedDataset',
            metainfo=FPDMpiiDataset.METAINFO,
            datasets=[labelled, others],
        )
    elif variant == LABEL_FREE:
        everyone = str((out / 'everyone.json').absolute())
        loader.dataset = dict(unlabelled, ann_file=everyone)
    else:
        loader.dataset = labelled
    if variant in (FPD, UNLABELED, LABEL_FREE):
        config.model.update(
            type='FPDDistiller',
            teacher=dict(
                config='configs/quickstart/hg2_64_drawn.py',
                checkpoint=str(
                    out / TEACHER.replace(' ', '_').replace(',', '') / 'last.pth'
                ),
            ),
            distill_loss=dict(
                type='HeatmapDistillLoss', alpha=1 if variant == LABEL_FREE else 0.5
            ),
        )
    # By iteration: epochs of the variants have different lengths.
    config.train_cfg = dict(
        type='IterBasedTrainLoop', max_iters=steps, val_interval=steps + 1
    )
    config.param_scheduler = [
        dict(config.param_scheduler[0], total_steps=steps, by_epoch=False)
    ]
    config.param_scheduler[0].pop('convert_to_iter_based', None)
    config.default_hooks.checkpoint = dict(
        type='CheckpointHook',
        by_epoch=False,
        interval=max(1, steps // 4),
        max_keep_ckpts=1,
        save_last=True,
        filename_tmpl='last.pth',
    )
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


def _write(path: Path, content: list | dict) -> None:
    with replace_when_done(path) as partial:
        partial.write_text(json.dumps(content))
