"""Draws the inference benchmark as a bar chart."""

from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.inference_costs import InferenceCosts, Row
from fpd_mmpose.files import replace_when_done

_BAR = 0.21  # inches
#: Ratio of the longest to the shortest time above which the axis is logarithmic.
_WIDE = 20
#: A label of the axis, and its rows.
_Group = tuple[str, list[Row]]


def save_chart(path: str | Path, costs: InferenceCosts) -> None:
    """Draws the medians for the smallest batch and the most threads."""
    threads, batch = max(costs.settings.threads), min(costs.settings.batches)
    alone, whole = (
        [row for row in rows if (row.threads, row.batch) == (threads, batch)]
        for rows in (costs.alone, costs.whole)
    )
    panels = []
    if alone:
        panels.append(('network alone', _grouped(alone, costs)))
    if whole:
        title = f'{costs.networks[0].name}, from a JPEG file and boxes to keypoints'
        panels.append((title, [(row.title, [row]) for row in whole]))
    titles = list(dict.fromkeys(row.title for row in alone))
    colors = {title: colormaps['tab10'](i % 10) for i, title in enumerate(titles)}
    for row in reversed(alone):  # a pipeline has the color of its engine
        colors |= {
            one.title: colors[row.title] for one in whole if one.engine == row.engine
        }
    heights = [sum(map(_height, groups)) * _BAR + 0.9 for _, groups in panels]
    figure = Figure(figsize=(9, max(sum(heights), 2)))
    axes = figure.subplots(
        max(len(panels), 1), squeeze=False, height_ratios=heights or [1]
    )
    where = f'batch {batch}, {threads} thread{"s" * (threads > 1)}'
    for axis, (title, groups) in zip(axes[:, 0], panels, strict=False):
        _draw(axis, groups, colors)
        axis.set(title=f'{title[0].upper()}{title[1:]}; {where}')
    if alone:
        handles = [Patch(color=colors[title], label=title) for title in titles]
        axes[0, 0].legend(handles=handles, loc='best', fontsize=8)
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _grouped(rows: list[Row], costs: InferenceCosts) -> list[_Group]:
    groups = [
        (one.name, [row for row in rows if row.network == one.name])
        for one in costs.networks
    ]
    return [(name, own) for name, own in groups if own]


def _height(group: _Group) -> float:
    """Returns the height of a group and the space below it, in bars."""
    return len(group[1]) + 0.6


def _draw(axis: Axes, groups: list[_Group], colors: dict[str, tuple]) -> None:
    place, ticks = 0.0, []
    for group in groups:
        rows = group[1]
        for number, row in enumerate(rows):
            low, high = min(row.seconds) * 1e3, max(row.seconds) * 1e3
            middle = row.median * 1e3
            bar = axis.barh(
                place + number,
                middle,
                0.9,
                xerr=[[middle - low], [high - middle]],
                color=colors.get(row.title, 'tab:gray'),
                error_kw=dict(elinewidth=1),
            )
            axis.bar_label(bar, [f'{middle:.1f}'], padding=4, fontsize=8)
        ticks.append(place + (len(rows) - 1) / 2)
        place += _height(group)
    axis.set_yticks(ticks, [name for name, _ in groups])
    axis.invert_yaxis()
    seconds = [one for _, rows in groups for row in rows for one in row.seconds]
    if max(seconds) > _WIDE * min(seconds):
        # Next to a large teacher, a small student would be invisible.
        axis.set_xscale('log')
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlim(min(seconds) * 1e3 / 2, max(seconds) * 1e3 * 2)
    else:
        axis.set_xlim(right=max(seconds) * 1e3 * 1.15)
    axis.set(xlabel='ms (median, shortest, longest)')
    axis.grid(axis='x', alpha=0.3)
    axis.set_axisbelow(True)
