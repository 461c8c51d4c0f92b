"""Reports the speed of a data pipeline."""

import math
from pathlib import Path

from matplotlib import colormaps
from matplotlib.figure import Figure

from benchmarks.input_side import HERE, OTHER, STACK, InputSide, Spread
from fpd_mmpose.files import replace_when_done

_NAMES = {HERE: 'this project', OTHER: "MMPose's transforms"}


def as_markdown(measured: InputSide) -> str:
    """Formats the results as Markdown tables, with conclusions."""
    width, height = measured.image_size
    sides = list(measured.stages)
    heads = [_NAMES[side] for side in sides]
    loading = {side: _loading(measured, side) for side in sides}
    lines = [
        f'{measured.people} people in images of {width}x{height}, batch '
        f'{measured.batch_size}. Median over the repeats (lowest to highest).',
        '',
        _row(['ms per person', *heads]),
        _row(['---', *['---:' for _ in sides]]),
    ]
    for stage in measured.stages[HERE]:
        if stage != STACK:
            figures = [_figure(measured.stages[side][stage], 3) for side in sides]
            lines.append(_row([stage, *figures]))
    lines.append(_row(['sum', *[f'{loading[side]:.3f}' for side in sides]]))
    figures = [_figure(measured.stages[side][STACK], 3) for side in sides]
    lines += [
        _row([STACK, *figures]),
        '',
        _row(['people per second', *heads]),
        _row(['---', *['---:' for _ in sides]]),
    ]
    for count in measured.rates[HERE]:
        name = f'{count} workers' if count != 1 else '1 worker'
        figures = [_figure(measured.rates[side][count], 0) for side in sides]
        lines.append(_row([name if count else 'no worker', *figures]))
    return '\n'.join([*lines, '', *_conclusions(measured)])


def save_chart(path: str | Path, measured: InputSide) -> None:
    """Draws the time of each stage as bars."""
    names = list(measured.stages[HERE])
    sides = list(measured.stages)
    height = 0.8 / len(sides)
    # Without pyplot, whose backend is the caller's choice.
    figure = Figure(figsize=(9, 1.5 + 0.45 * len(names)))
    axis = figure.subplots()
    for index, side in enumerate(sides):
        spreads = [measured.stages[side][name] for name in names]
        bars = axis.barh(
            [place + index * height for place in range(len(names))],
            [one.median for one in spreads],
            height,
            xerr=[
                [one.median - one.low for one in spreads],
                [one.high - one.median for one in spreads],
            ],
            color=colormaps['tab10'](index),
            label=_NAMES[side],
        )
        axis.bar_label(bars, fmt='%.2f', padding=3, fontsize=8)
    axis.set_yticks([place + 0.4 - height / 2 for place in range(len(names))], names)
    axis.invert_yaxis()
    axis.set(xlabel='ms per person', title='From the file to the batch')
    axis.grid(axis='x', alpha=0.3)
    axis.set_axisbelow(True)
    axis.legend(loc='lower right')
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _conclusions(measured: InputSide) -> list[str]:
    lines = []
    if measured.consumed is not None:
        alone = 1e3 / _loading(measured, HERE)
        lines.append(
            f'A step of {measured.step_seconds:g} s consumes {measured.consumed:.1f} '
            f'people per second. One worker process delivers {alone:.0f}, so '
            f'{math.ceil(measured.consumed / alone)} keep up.'
        )
    reduced = measured.reduced
    if reduced is not None:
        lines.append(
            f'Decoding at half size would suffice for {reduced.share:.0%} of these '
            f'people (without augmentation) and take {reduced.half_ms:.2f} ms instead '
            f'of {reduced.whole_ms:.2f} ms; their crops would differ by '
            f'{reduced.difference:.1f} gray levels of 255 on average.'
        )
    return lines


def _loading(measured: InputSide, side: str) -> float:
    """Returns the milliseconds per person that a worker process spends."""
    stages = measured.stages[side]
    return sum(one.median for name, one in stages.items() if name != STACK)


def _figure(value: Spread, digits: int) -> str:
    return (
        f'{value.median:.{digits}f} ({value.low:.{digits}f} to {value.high:.{digits}f})'
    )


def _row(cells: list[str]) -> str:
    return f'| {" | ".join(cells)} |'
