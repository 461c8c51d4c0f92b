"""The result table of the quick start."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.apis import init_model
from torch import nn

from fpd_mmpose.evaluation.mpii_pckh import COLUMNS
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.quickstart.stages import Stage, weights_path

#: The columns of the reference's table.
SCORES = (*COLUMNS, 'Mean', 'Mean@0.1')


def evaluate(config: Config, stage: Stage, out: Path) -> dict[str, float]:
    """Tests a trained network with flip test; returns PCKh in percent by column."""
    config = config.copy()
    config.load_from = str(weights_path(stage, out))
    config.resume = False
    config.visualizer.name = f'{stage.name}_test'
    metrics = Runner.from_cfg(config).test()
    return {name: metrics[f'PCKh/{name}'] for name in SCORES}


def milliseconds_per_person(
    models: Sequence[nn.Module], size: Sequence[int], repeats: int = 40
) -> list[float]:
    """Returns the median time of each network, without flip test and pipeline.

    The networks take turns with one person of ``size`` (width, height); the first turns
    do not count.
    """
    image = torch.randn(1, 3, size[1], size[0])
    times: list[list[float]] = [[] for _ in models]
    with torch.inference_mode():
        for turn in range(repeats + repeats // 4):
            for model, measured in zip(models, times, strict=True):
                start = time.perf_counter()
                model(image, None)
                if turn >= repeats // 4:
                    measured.append(1000 * (time.perf_counter() - start))
    return [statistics.median(measured) for measured in times]


def load_models(configs: Sequence[Config], stages: Sequence[Stage], out: Path) -> list:
    """Loads trained pose estimators to the CPU through MMPose's ``init_model``."""
    return [
        init_model(config.copy(), str(weights_path(stage, out)), device='cpu')
        for config, stage in zip(configs, stages, strict=True)
    ]


def result_table(rows: Sequence[dict[str, Any]]) -> str:
    """Formats the results as an aligned Markdown table."""
    return markdown_table(
        ['', 'Params', 'ms/person', *SCORES],
        [
            [
                row['label'],
                f'{row["parameters"] / 1e6:.2f} M',
                f'{row["milliseconds"]:.1f}',
                *(f'{row["scores"][name]:.1f}' for name in SCORES),
            ]
            for row in rows
        ],
        pad=True,
    )
