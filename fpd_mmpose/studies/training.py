"""Training, scores, and tables that the studies share."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from fpd_mmpose.atomic import write_json
from fpd_mmpose.markdown import markdown_table


def folder_name(variant: str) -> str:
    """Returns the name of a variant's folder."""
    return variant.replace(' ', '_').replace(',', '')


def train_for_steps(config: Config, steps: int) -> None:
    """Makes a config train for optimizer steps rather than epochs, in place.

    The config must have a single schedule, by epoch. The last weights are saved as
    ``last.pth``.
    """
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


def train_and_score(
    config: Config, folder: Path, variant: str, seed: int
) -> dict[str, float]:
    """Trains a network and returns its validation scores, or those of an earlier run.

    The config is changed in place. An interrupted run is resumed.
    """
    scores = folder / 'scores.json'
    if scores.exists():
        return json.loads(scores.read_text())
    config.work_dir = str(folder)
    config.randomness = dict(seed=seed)
    config.experiment_name = config.visualizer.name = f'{folder.name}_{seed}'
    config.custom_hooks = [dict(type='ProgressHook', label=f'{variant}, seed {seed}')]
    config.log_level = 'ERROR'
    config.resume = True
    runner = Runner.from_cfg(config)
    runner.train()
    found = {key: float(value) for key, value in runner.test().items()}
    write_json(scores, found)
    return found


def as_markdown(results: dict[str, Sequence[dict[str, float]]]) -> str:
    """Formats PCKh@0.5 in percent, for each variant and seed, with their mean."""
    seeds = max(len(scores) for scores in results.values())
    rows = []
    for variant, scores in results.items():
        means = [one['PCKh/Mean'] for one in scores]
        rows.append([variant, *(f'{m:.1f}' for m in (*means, statistics.mean(means)))])
    headings = ['', *(f'seed {seed}' for seed in range(seeds)), 'mean']
    return markdown_table(headings, rows)
