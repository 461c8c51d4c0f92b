"""Finished runs, written as MMEngine writes them."""

import json
import re
from functools import cache
from pathlib import Path

import torch

from fpd_mmpose.reports.table import COCO, MPII, TableLayout
from tests.helpers.reduced import reduced_config

STEPS_PER_EPOCH = 10


def metrics(
    main: float, layout: TableLayout = MPII, **others: float
) -> dict[str, float]:
    """Scores that equal the main one in every column but the given ones."""
    return {
        metric: others.get(heading, main) for heading, metric in layout.columns.items()
    }


@cache
def _small_config() -> str:
    config = reduced_config(
        'hourglass/hg4_128_mpii.py', Path('data'), Path('run'), stacks=1, features=8
    )
    return config.pretty_text


def config_text(
    load_from: Path | str | None = None, resume: bool = False, features: int = 8
) -> str:
    """The dump of a config of this project with a tiny network."""
    start = load_from and str(load_from)
    text = _small_config()
    for old, new in (
        ('load_from ?= ?None', f'load_from = {start!r}'),
        ('resume ?= ?False', f'resume = {resume}'),
        ('num_features=8', f'num_features={features}'),
    ):
        text, found = re.subn(old, lambda _, new=new: new, text)
        assert found == 1, old
    return text


def write_checkpoint(path: Path, epoch: int, config: str) -> Path:
    meta = dict(
        epoch=epoch,
        iter=epoch * STEPS_PER_EPOCH,
        experiment_name=f'run_{path.parent.name}',
        cfg=config,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(meta=meta, state_dict={}), path)
    return path


def write_log(
    folder: Path,
    scores: dict[int, float],
    config: str,
    layout: TableLayout = MPII,
    processes: int = 1,
) -> None:
    """A time-stamped folder of a run that was validated at some epochs."""
    lines = []
    for epoch in range(min(scores), max(scores) + 1):
        step = epoch * STEPS_PER_EPOCH
        lines.append(dict(loss=0.1, lr=0.1, epoch=epoch, iter=step, step=step))
        if epoch in scores:
            found = metrics(scores[epoch], layout)
            lines.append(dict(**found, data_time=0.1, time=0.1, step=epoch))
    (folder / 'vis_data').mkdir(parents=True)
    text = ''.join(json.dumps(line) + '\n' for line in lines)
    (folder / 'vis_data' / 'scalars.json').write_text(text)
    (folder / 'vis_data' / 'config.py').write_text(config)
    (folder / f'{folder.name}.log').write_text(f'    GPU number: {processes}\n')


def write_run(
    folder: Path,
    scores: dict[int, float],
    load_from: Path | str | None = None,
    layout: TableLayout = MPII,
    best: int | None = None,
    processes: int = 1,
    **settings: int,
) -> Path:
    """A work directory with the last checkpoint and, if given, the best one."""
    config = config_text(load_from, **settings)
    write_log(folder / '20260101_000000', scores, config, layout, processes)
    (folder / 'small.py').write_text(config)
    last = write_checkpoint(folder / f'epoch_{max(scores)}.pth', max(scores), config)
    (folder / 'last_checkpoint').write_text(str(last))
    if best:
        write_checkpoint(folder / f'best_PCKh_Mean_epoch_{best}.pth', best, config)
    return folder


__all__ = [
    'COCO',
    'MPII',
    'metrics',
    'config_text',
    'write_checkpoint',
    'write_log',
    'write_run',
]
