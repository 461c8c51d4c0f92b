"""Distills a student on drawn people, and shows the result."""

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done, write_json
from fpd_mmpose.quickstart.pictures import save_curves, save_predictions
from fpd_mmpose.quickstart.stages import (
    COMPARED,
    STAGES,
    stage_config,
    train_stage,
    training_log,
    weights_path,
)
from fpd_mmpose.quickstart.summary import (
    evaluate,
    load_models,
    milliseconds_per_person,
    result_table,
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
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'"{out}" cannot be created: {error.strerror}') from error
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


def _compare(configs: list[Config], out: Path) -> list[dict[str, Any]]:
    """Measures the networks, saves the images, and returns the rows of the table."""
    labels = [stage.label for stage in COMPARED]
    models = load_models(configs, COMPARED, out)
    times = milliseconds_per_person(models, models[0].head.decoder.input_size)
    rows = [
        dict(
            label=stage.label,
            parameters=sum(p.numel() for p in model.parameters()),
            milliseconds=milliseconds,
            scores=evaluate(config, stage, out),
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
