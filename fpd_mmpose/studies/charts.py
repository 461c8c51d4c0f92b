"""The charts of a study."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator
from matplotlib.transforms import Transform

from fpd_mmpose.files import replace_when_done

#: A color for each kind of arm, which the color-blind can tell apart (Okabe and Ito).
COLORS = {
    'teacher': '#404040',
    'plain': '#E69F00',
    'control': '#CC79A7',
    'fpd': '#0072B2',
    'unlabeled': '#009E73',
}
#: Width of the pictures in inches, at 100 dots per inch as wide as a README.
WIDTH = 9.0


class Bar(NamedTuple):
    """An arm's scores, one per seed, and its gain over another: low, mean, and high."""

    label: str
    color: str
    scores: Sequence[float]
    gain: tuple[float, float, float] | None = None


class Curve(NamedTuple):
    """How an arm was trained: its losses and its scores, each after samples seen.

    An arm that continues another one has that one's course as well, up to and including
    ``branch`` samples. An arm that was not trained only has its ``fixed`` score.
    """

    label: str
    color: str
    losses: tuple[Sequence[float], Sequence[float]] = ((), ())
    scores: tuple[Sequence[float], Sequence[float]] = ((), ())
    branch: float | None = None
    fixed: float | None = None


def save_gain_bars(
    path: Path, rows: Sequence[Bar], score_label: str, gain_label: str
) -> None:
    """Plots the score of each arm, and how much more it is than that of the control.

    ``gain_label`` says what the gains are over and what their interval is.
    """
    figure = Figure((WIDTH, 1.0 + 0.5 * len(rows)), layout='constrained')
    scores, gains = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1))
    for place, (_, color, values, gain) in enumerate(rows):
        mean = float(np.mean(values))
        scores.barh(place, mean, color=color, height=0.62, alpha=0.85)
        if len(values) > 1:
            spread = place + np.linspace(-0.2, 0.2, len(values))
            scores.plot(values, spread, 'o', ms=5.5, color=color, mec='white')
        scores.annotate(
            f'{mean:.1f}',
            (max(values), place),
            (6, 0),
            textcoords='offset points',
            va='center',
        )
        if gain:
            low, middle, high = gain
            gains.errorbar(
                middle,
                place,
                xerr=[[middle - low], [high - middle]],
                fmt='o',
                color=color,
                capsize=4,
                lw=2.2,
            )
            gains.annotate(
                f'{middle:+.1f}  [{low:.1f}, {high:.1f}]'.replace(
                    '-', '\N{MINUS SIGN}'
                ),
                (middle, place),
                (0, 8),
                textcoords='offset points',
                ha='center',
                fontsize=9,
                bbox=dict(boxstyle='square,pad=0.1', color='white'),
            )
    scores.set(xlabel=score_label, yticks=range(len(rows)))
    scores.set_yticklabels([fill(row.label, 22) for row in rows])
    scores.invert_yaxis()
    gains.axvline(0, color='black', lw=1)
    gains.set(xlabel=fill(gain_label, 44))
    gains.tick_params(left=False)
    # Room for the numbers.
    scores.margins(x=0.16)
    scores.set_xlim(left=0)
    gains.margins(x=0.25)
    for axis in (scores, gains):
        _tidy(axis, 'x')
    save_figure(figure, path)


def save_curves(path: Path, curves: Sequence[Curve], score_label: str) -> None:
    """Plots losses and scores in the course of the trainings, the first in front."""
    figure = Figure((WIDTH, 4.0), layout='constrained')
    left, right = figure.subplots(1, 2)
    handles = []
    for order, curve in enumerate(reversed(curves), 3):
        style: dict[str, Any] = dict(color=curve.color, lw=2, zorder=order)
        if curve.fixed is not None:
            style['ls'] = '--'
            right.axhline(curve.fixed, **style)
            label, place = f'{curve.fixed:.1f}', (0.01, curve.fixed)
            _note(right, label, place, (0, -12), right.get_yaxis_transform())
        # Mixed with white; unlike alpha, that does not mix it with others.
        pale = 0.3 * np.array(to_rgb(curve.color)) + 0.7
        for x, y in _halves(curve.losses, curve.branch):
            left.plot(x, y, color=pale, lw=0.7)
            left.plot(x, _smooth(y), **style)
        right.plot(*curve.scores, marker='o', ms=4, **style)
        handles.append(Line2D([], [], label=curve.label, **style))
    for branch in {curve.branch for curve in curves if curve.branch is not None}:
        for axis in (left, right):
            axis.axvline(branch, color='gray', ls=':', lw=1.5)
        place = (branch, 0.95)
        _note(left, 'arms branch off', place, (5, 0), left.get_xaxis_transform())
    left.set(yscale='log', ylabel='pose loss per stack')
    left.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    left.yaxis.set_major_formatter('{x:g}')
    left.yaxis.set_minor_locator(NullLocator())
    right.set(ylabel=score_label)
    for axis in (left, right):
        axis.set(xlabel='samples seen')
        axis.xaxis.set_major_formatter(EngFormatter(sep=''))
        axis.locator_params(axis='x', nbins=6)
        _tidy(axis, 'both')
    figure.legend(
        handles=handles[::-1], loc='outside upper center', ncols=3, frameon=False
    )
    save_figure(figure, path)


def _note(
    axis: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float],
    transform: Transform,
) -> None:
    axis.annotate(
        text, place, offset, transform, 'offset points', fontsize=9, color='dimgray'
    )


def _halves(
    series: tuple[Sequence[float], Sequence[float]], branch: float | None
) -> list[np.ndarray]:
    """Splits a series where its arm branched off, so as not to smooth across that."""
    both = np.array(series, float)
    late = both[0] > (np.inf if branch is None else branch)
    return [both[:, ~late], both[:, late]]


def _smooth(values: np.ndarray) -> np.ndarray:
    """Averages the logarithms of a twentieth of the values, of fewer at the ends."""
    if not len(values):
        return values
    kernel = np.ones(max(1, len(values) // 20))
    count = np.convolve(np.ones_like(values), kernel, 'same')
    return np.exp(np.convolve(np.log(values), kernel, 'same') / count)


def _tidy(axis: Axes, grid: Literal['both', 'x', 'y']) -> None:
    axis.grid(alpha=0.3, axis=grid)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)


def save_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Writes a figure atomically."""
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, **(dict(format='png') | options))
