"""The table that the quick start ends with."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.apis import init_model
from torch import nn

from fpd_mmpose.evaluation.mpii_pckh import COLUMNS
from fpd_mmpose.quickstart.stages import Stage, weights_path

#: The columns of the reference's table.
SCORES = (*COLUMNS, 'Mean', 'Mean@0.1')


def evaluate(config: Config, stage: Stage, out: Path) -> dict[str, float]:
    """Tests a trained network on the held-out people, with flip test.

    Args:
        config (Config): Config of the stage.
        stage (Stage): The stage.
        out (Path): Output folder of the quick start.

    Returns:
        dict: PCKh by column, in percent.
    """
    config = config.copy()
    config.load_from = str(weights_path(stage, out))
    config.resume = False
    config.visualizer.name = f'{stage.name}_test'
    metrics = Runner.from_cfg(config).test()
    return {name: metrics[f'PCKh/{name}'] for name in SCORES}


def milliseconds_per_person(
    models: Sequence[nn.Module], size: Sequence[int], repeats: int = 40
) -> list[float]:
    """Times the networks alone, one person at a time, in turns.

    Args:
        models (Sequence[nn.Module]): Pose estimators in eval mode.
        size (Sequence[int]): Width and height of the input.
        repeats (int): Timed turns, after a quarter as many for warming up.

    Returns:
        list[float]: Median milliseconds of each network, without flip test.
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
    """Loads the trained networks through MMPose's ``init_model``.

    Args:
        configs (Sequence[Config]): Configs of the stages.
        stages (Sequence[Stage]): The stages.
        out (Path): Output folder of the quick start.

    Returns:
        list[nn.Module]: Pose estimators in eval mode, on the CPU.
    """
    return [
        init_model(config.copy(), str(weights_path(stage, out)), device='cpu')
        for config, stage in zip(configs, stages, strict=True)
    ]


def result_table(rows: Sequence[dict]) -> str:
    """Formats the results in Markdown.

    Args:
        rows (Sequence[dict]): With ``label``, ``parameters``, ``milliseconds`` and
            ``scores``.

    Returns:
        str: A table with aligned columns.
    """
    cells = [['', 'Params', 'ms/person', *SCORES]]
    for row in rows:
        cells.append(
            [
                row['label'],
                f'{row["parameters"] / 1e6:.2f} M',
                f'{row["milliseconds"]:.1f}',
                *(f'{row["scores"][name]:.1f}' for name in SCORES),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        '| '
        + ' | '.join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + ' |'
        for line in cells
    ]
    rule = [
        '-' * width if index == 0 else '-' * (width - 1) + ':'
        for index, width in enumerate(widths)
    ]
    lines.insert(1, '| ' + ' | '.join(rule) + ' |')
    return '\n'.join(lines)
