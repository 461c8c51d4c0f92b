"""What studies share: networks trained for a number of steps, and tables of scores."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from fpd_mmpose.atomic import write_json


def folder_name(variant: str) -> str:
    """Makes the name of a folder from that of a variant."""
    return variant.replace(' ', '_').replace(',', '')


def train_for_steps(config: Config, steps: int) -> None:
    """Lets a run count optimizer steps: epochs may have different lengths.

    Args:
        config (Config): Of a run with one schedule by epoch; changed in place. The
            last weights will be ``last.pth``.
        steps (int): How many.
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
    """Trains a network, or finds its scores.

    Args:
        config (Config): Of the run; changed in place.
        folder (Path): Of the run.
        variant (str): Name of the network, for the progress bar.
        seed (int): Of the initial weights and the draws.

    Returns:
        dict[str, float]: Scores of the last weights on the validation people.
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
