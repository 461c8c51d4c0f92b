"""Bar charts of result tables."""

import math
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from fpd_mmpose.files import replace_when_done
from fpd_mmpose.reports.table import Row, Table


def save_bars(path: str | Path, table: Table) -> None:
    """Draws the scores of a table side by side, as a PNG file."""
    layout, rows = table.layout, table.rows
    values = np.array([[row.mean(name) for name in layout.bars] for row in rows])
    bottom, top = _limits(values)
    width = 0.85 / len(rows)
    # Not with pyplot, whose backend belongs to the caller.
    figure = Figure(figsize=(max(8, 2 + 0.3 * values.size), 5.5))
    axis = figure.subplots()
    for index, row in enumerate(rows):
        bars = axis.bar(
            np.arange(len(layout.bars)) + (index - (len(rows) - 1) / 2) * width,
            values[index],
            width,
            yerr=[row.spread(n) for n in layout.bars] if row.count > 1 else None,
            color=colormaps['tab10'](index % 10),
            label=_label(row, layout.main),
        )
        axis.bar_label(bars, fmt='%.3f', rotation=90, padding=3, fontsize=9)
    axis.set_xticks(range(len(layout.bars)), layout.bars)
    unit = 'PCKh@0.5, %' if layout.name == 'MPII' else 'average precision and recall'
    cut = f' (axis starts at {bottom:g})' if bottom else ''
    axis.set(ylabel=f'{unit}{cut}', ylim=(bottom, top), title=layout.name)
    axis.grid(axis='y', alpha=0.3)
    axis.set_axisbelow(True)
    starred = any(not row.equal for row in rows)
    axis.legend(
        loc='upper center',
        bbox_to_anchor=(0.5, -0.08),
        ncols=2,
        title='* trained for a different total of epochs' if starred else None,
    )
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _label(row: Row, main: str) -> str:
    label = f'{row.name}: {main} {row.mean(main):.3f}'
    if row.gain is not None:
        mark = '' if row.equal else '*'
        label += f' ({row.gain:+.3f}{mark} over {row.over})'
    return label


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Returns round limits that leave room for the numbers above the bars."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    step = 10.0 if high > 1 else 0.1
    # Half a step or more below the lowest bar, but never below zero.
    bottom = max(0.0, math.floor(low / step - 0.5) * step)
    return round(bottom, 1), high + 0.25 * max(high - bottom, step)
