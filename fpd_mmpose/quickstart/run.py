"""Distills a student on drawn people, and shows the result."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.apis import init_model
from torch import nn

from fpd_mmpose.evaluation.mpii_pckh import SCORES
from fpd_mmpose.files import replace_when_done, write_json
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.quickstart.pictures import save_curves, save_predictions
from fpd_mmpose.quickstart.stages import (
    COMPARED,
    STAGES,
    Stage,
    stage_config,
    train_stage,
    training_log,
    weights_path,
)
from fpd_mmpose.synthetic import write_dataset


def run_quickstart(
    out: Path, people: int, held_out: int, epochs: int | None, seed: int
) -> None:
    """Draws people, trains the networks, and writes table and images to ``out``.

    A small teacher and a plain student are trained; the student then continues twice
    for the same number of steps: plainly, and with the teacher's help.
    """
    started = time.perf_counter()
    init_default_scope('mmpose')
    # More threads do not speed up layers this small.
    torch.set_num_threads(min(torch.get_num_threads(), 2))

    print(f'[1/6] People: {people} to train on, {held_out} held out')
    write_dataset(out / 'data', people, held_out, seed=seed)
    configs = [stage_config(stage, out, epochs, seed) for stage in STAGES]
    for number, (stage, config) in enumerate(zip(STAGES, configs, strict=True), 2):
        print(f'[{number}/6] {stage.label}: {config.train_cfg.max_epochs} epochs')
        if not train_stage(config, stage, out):
            print(f'      trained already: {weights_path(stage, out)}')

    print('[6/6] Results')
    compared = [
        config for s, config in zip(STAGES, configs, strict=True) if s in COMPARED
    ]
    rows = _compare(compared, out)
    table = result_table(rows)
    write_json(out / 'results.json', rows, indent=1)
    with replace_when_done(out / 'results.md') as partial:
        partial.write_text(table + '\n')
    print(
        f'\nPCKh@0.5 in percent on {held_out} drawn people that no network was trained '
        f'on, with flip test;\nms/person: network only, on {torch.get_num_threads()} '
        f'CPU threads, batch size 1.\n\n{table}\n'
    )
    gain = rows[2]['scores']['Mean'] - rows[1]['scores']['Mean']
    print(f'FPD over plain training, same start and steps: {gain:+.1f} PCKh')
    for name in ('predictions.jpg', 'curves.png', 'results.json'):
        print(f'  {out / name}')
    print(f'Done in {time.perf_counter() - started:.0f} s.')


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


def _compare(configs: list[Config], out: Path) -> list[dict[str, Any]]:
    """Measures the networks, saves the images, and returns the rows of the table."""
    labels = [stage.label for stage in COMPARED]
    models = [
        init_model(config.copy(), str(weights_path(stage, out)), device='cpu')
        for config, stage in zip(configs, COMPARED, strict=True)
    ]
    times = _milliseconds_per_person(models, models[0].head.decoder.input_size)
    rows = [
        dict(
            label=stage.label,
            parameters=sum(p.numel() for p in model.parameters()),
            milliseconds=milliseconds,
            scores=_evaluate(config, stage, out),
        )
        for stage, model, milliseconds, config in zip(
            COMPARED, models, times, configs, strict=True
        )
    ]
    save_predictions(
        out / 'predictions.jpg', models, labels, configs[0].test_dataloader.dataset
    )
    save_curves(
        out / 'curves.png', [training_log(stage, out) for stage in COMPARED], labels
    )
    return rows


def _evaluate(config: Config, stage: Stage, out: Path) -> dict[str, float]:
    """Tests a trained network with flip test; returns PCKh in percent by column."""
    config = config.copy()
    config.load_from = str(weights_path(stage, out))
    config.resume = False
    config.visualizer.name = f'{stage.name}_test'
    metrics = Runner.from_cfg(config).test()
    return {name: metrics[f'PCKh/{name}'] for name in SCORES}


def _milliseconds_per_person(
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
