"""Draws the courses of runs over each other with Plotly."""

from collections.abc import Callable, Sequence
from html import escape

from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

from fpd_mmpose.run_reports.logged_run import LoggedRun, Point
from fpd_mmpose.run_reports.result_rows import ResultRow
from fpd_mmpose.studies.charts import COLORS

#: Points of a line; more cannot be told apart.
_POINTS = 1000
_DASHES = ('solid', 'dash', 'dot')
_HEIGHT = 230
_Chart = tuple[str, Callable[[LoggedRun], list[tuple[int, float]]]]


def draw_courses(rows: Sequence[ResultRow]) -> Figure | None:
    """Draws the scores, losses, and learning rates; None if nothing has been logged.

    Runs that differ in their seeds have the same color.
    """
    metrics = {run.metric for run in _runs(rows) if run.metric}
    named = (('Validation: ' + ' or '.join(sorted(metrics)), _scores), *_CHARTS)
    charts = [(title, of) for title, of in named if any(map(of, _runs(rows)))]
    if not charts:
        return None
    figure = make_subplots(
        rows=len(charts),
        shared_xaxes=True,
        subplot_titles=[escape(title, quote=False) for title, _ in charts],
        vertical_spacing=0.22 / len(charts),
    )
    for number, row in enumerate(rows):
        color = [*COLORS.values()][number % len(COLORS)]
        dash = _DASHES[number // len(COLORS) % len(_DASHES)]
        # Plotly reads tags in names.
        name, listed = escape(row.name, quote=False), True
        for run in row.runs:
            for place, (_, course_of) in enumerate(charts, 1):
                course = course_of(run)
                if not course:
                    continue
                steps, values = zip(*course[:: -(-len(course) // _POINTS)], strict=True)
                figure.add_trace(
                    Scatter(
                        x=steps,
                        y=values,
                        name=name,
                        legendgroup=name,
                        showlegend=listed,
                        mode='lines+markers' if course_of is _scores else 'lines',
                        line=dict(color=color, dash=dash, width=1.5),
                    ),
                    row=place,
                    col=1,
                )
                listed = False
    height = _HEIGHT * len(charts) + 120
    figure.update_layout(
        template='plotly_white',
        height=height,
        margin=dict(l=10, r=10, t=90, b=40),
        legend=dict(orientation='h', y=1 + 40 / height, yanchor='bottom', x=0),
        hovermode='x unified',
    )
    figure.update_annotations(x=0, xanchor='left')
    figure.update_yaxes(automargin=True, tickformat='~g')
    figure.update_xaxes(title_text='step', row=len(charts), col=1)
    for place, (title, _) in enumerate(charts, 1):
        if 'loss' in title:
            figure.update_yaxes(type='log', row=place, col=1)
    return figure


def _runs(rows: Sequence[ResultRow]) -> list[LoggedRun]:
    return [run for row in rows for run in row.runs]


def _course(points: Sequence[Point], *names: str) -> list[tuple[int, float]]:
    """Returns the first of the values that the points have."""
    found = [
        (p.step, next((p.values[n] for n in names if n in p.values), None))
        for p in points
    ]
    return [(step, value) for step, value in found if value is not None]


def _scores(run: LoggedRun) -> list[tuple[int, float]]:
    return _course(run.validations, run.metric) if run.metric else []


_CHARTS: tuple[_Chart, ...] = (
    # Plain training logs its only loss as `loss_kpt`.
    (
        'Pose loss, against the labels',
        lambda run: _course(run.training, 'pose', 'loss_kpt'),
    ),
    (
        'Distillation loss, against the teacher',
        lambda run: _course(run.training, 'kd'),
    ),
    ('Total loss', lambda run: _course(run.training, 'loss')),
    ('Learning rate', lambda run: _course(run.training, 'lr')),
)
