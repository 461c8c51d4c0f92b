"""Reports the distillation benchmark as a table, JSON, and a chart."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from benchmarks.distill import FLOOR, PLAIN, REFERENCE, STORED, Settings
from benchmarks.machine import processor
from benchmarks.timing import Timed
from fpd_mmpose.files import replace_when_done


def as_markdown(timed: list[Timed]) -> str:
    """Formats the times as a Markdown table."""
    median = {one.name: one.median for one in timed}
    unit, factor, digits = _unit(timed)
    lines = [
        f'| | median, {unit} | shortest to longest | x plain | x floor | memory, MiB |',
        '|---|---:|---:|---:|---:|---:|',
    ]
    for one in timed:
        low, high = (f'{factor * bound:.{digits}f}' for bound in one.spread)
        memory = f'{one.memory / 2**20:,.0f}' if one.memory else ''
        lines.append(
            f'| {one.name} | {factor * one.median:.{digits}f} | {low} to {high} '
            f'| {one.median / median[PLAIN]:.2f} | {one.median / median[FLOOR]:.2f} '
            f'| {memory} |'
        )
    return '\n'.join(lines)


def summary(timed: list[Timed]) -> str:
    """Compares the fastest variants with the reference's way, the floor, and plain."""
    median = {one.name: one.median for one in timed}
    lines = []
    ours = [name for name in median if name.startswith('FPD, speed=')]
    if ours:
        best = min(ours, key=median.__getitem__)
        gain = "fits in memory, unlike the reference's way"
        if REFERENCE in median:
            factor = median[REFERENCE] / median[best]
            gain = f"is {factor:.1f} x as fast as the reference's way"
        share = median[best] / median[FLOOR]
        lines.append(f'"{best}" {gain}, and takes {share:.2f} x the floor')
    for stored in (name for name in median if name.startswith(STORED)):
        # Compare with the plain student in the same formats.
        plain = stored.replace(STORED, PLAIN)
        lines.append(
            f'"{stored}" takes {median[stored] / median[plain]:.2f} x "{plain}"'
        )
    return '\n'.join(lines)


def as_json(timed: list[Timed], config: str, settings: Settings) -> dict[str, Any]:
    """Collects all times, the settings, and the device."""
    on_gpu = torch.device(settings.device).type == 'cuda'
    device = torch.cuda.get_device_name() if on_gpu else processor()
    return dict(
        config=config,
        settings=asdict(settings),
        device=device,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        tf32=on_gpu and torch.backends.cudnn.allow_tf32,
        ways=[
            dict(name=one.name, seconds=one.seconds, memory_bytes=one.memory)
            for one in timed
        ],
    )


def save_png(path: str | Path, timed: list[Timed], title: str) -> None:
    """Draws the medians as bars, with the shortest and longest time."""
    figure = Figure(figsize=(8, 0.8 + 0.42 * len(timed)))
    axis = figure.subplots()
    unit, factor, _ = _unit(timed)
    names = [one.name for one in timed]
    medians = [factor * one.median for one in timed]
    errors = [
        [factor * (one.median - one.spread[0]) for one in timed],
        [factor * (one.spread[1] - one.median) for one in timed],
    ]
    bars = axis.barh(names, medians, xerr=errors, color=[_color(n) for n in names])
    axis.bar_label(bars, [f'{value:.3g}' for value in medians], padding=6, fontsize=9)
    axis.invert_yaxis()
    axis.set(xlabel=f'{unit} (median, shortest, longest)', title=title)
    axis.set_xlim(right=1.15 * factor * max(one.spread[1] for one in timed))
    axis.grid(axis='x', alpha=0.3)
    axis.set_axisbelow(True)
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _unit(timed: list[Timed]) -> tuple[str, float, int]:
    """Returns the unit of the times, its factor, and the number of decimals."""
    if max(one.median for one in timed) < 1:
        return 'ms', 1000, 1
    return 's', 1, 3


def _color(name: str) -> str:
    if name == REFERENCE:
        return 'tab:red'
    if name.startswith('FPD'):
        return 'tab:green'
    return 'tab:gray' if name == FLOOR else 'tab:blue'
