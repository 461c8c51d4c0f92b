"""Table, JSON and picture of the distillation benchmark."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from fpd_mmpose.atomic import replace_when_done

from .distill import FLOOR, PLAIN, REFERENCE, STORED, Settings
from .machine import processor
from .timing import Timed


def as_markdown(timed: list[Timed]) -> str:
    """Writes the table.

    Args:
        timed (list[Timed]): What was measured.

    Returns:
        str: Markdown.
    """
    median = {one.name: one.median for one in timed}
    lines = [
        '| | median, s | shortest to longest | x plain | x floor | memory, MiB |',
        '|---|---:|---:|---:|---:|---:|',
    ]
    for one in timed:
        low, high = one.spread
        memory = f'{one.memory / 2**20:,.0f}' if one.memory else ''
        lines.append(
            f'| {one.name} | {one.median:.3f} | {low:.3f} to {high:.3f} '
            f'| {one.median / median[PLAIN]:.2f} | {one.median / median[FLOOR]:.2f} '
            f'| {memory} |'
        )
    return '\n'.join(lines)


def summary(timed: list[Timed]) -> str:
    """Compares the fastest ways to distil with the reference's, the floor and plain.

    Args:
        timed (list[Timed]): What was measured.

    Returns:
        str: One line for the live teacher, and one for the stored.
    """
    median = {one.name: one.median for one in timed}
    ours = {name: value for name, value in median.items() if 'speed=' in name}
    best = min((n for n in ours if n.startswith('FPD')), key=ours.__getitem__)
    # The plain student in the same formats, which is the fair one.
    stored = next(name for name in median if name.startswith(STORED))
    plain = stored.replace(STORED, PLAIN)
    return (
        f'"{best}" is {median[REFERENCE] / median[best]:.1f} x as fast as the '
        f"reference's way, and takes {median[best] / median[FLOOR]:.2f} x the floor\n"
        f'"{stored}" takes {median[stored] / median[plain]:.2f} x "{plain}"'
    )


def as_json(timed: list[Timed], config: str, settings: Settings) -> dict[str, Any]:
    """Collects everything measured, and where.

    Args:
        timed (list[Timed]): What was measured.
        config (str): Path of the config.
        settings (Settings): How it was measured.

    Returns:
        dict: For :mod:`json`.
    """
    device = torch.cuda.get_device_name() if settings.device == 'cuda' else processor()
    return dict(
        config=config,
        settings=asdict(settings),
        device=device,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        ways=[
            dict(name=one.name, seconds=one.seconds, memory_bytes=one.memory)
            for one in timed
        ],
    )


def save_png(path: str | Path, timed: list[Timed], title: str) -> None:
    """Draws the medians as bars, with the shortest and longest time.

    Args:
        path (str | Path): The file.
        timed (list[Timed]): What was measured.
        title (str): Above the bars.
    """
    figure = Figure(figsize=(8, 0.8 + 0.42 * len(timed)))
    axis = figure.subplots()
    names = [one.name for one in timed]
    medians = [one.median for one in timed]
    errors = [
        [one.median - one.spread[0] for one in timed],
        [one.spread[1] - one.median for one in timed],
    ]
    bars = axis.barh(names, medians, xerr=errors, color=[_colour(n) for n in names])
    axis.bar_label(bars, [f'{value:.2f}' for value in medians], padding=6, fontsize=9)
    axis.invert_yaxis()
    axis.set(xlabel='seconds (median, shortest, longest)', title=title)
    axis.set_xlim(right=1.15 * max(one.spread[1] for one in timed))
    axis.grid(axis='x', alpha=0.3)
    axis.set_axisbelow(True)
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _colour(name: str) -> str:
    if name == REFERENCE:
        return 'tab:red'
    if name.startswith('FPD'):
        return 'tab:green'
    return 'tab:gray' if name == FLOOR else 'tab:blue'
