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
_Course = Callable[[LoggedRun], list[tuple[int, float]]]


def draw_courses(rows: Sequence[ResultRow]) -> Figure:
    """Draws scores, losses, and learning rates, runs of other seeds in one color."""
    runs = [run for row in rows for run in row.runs]
    charts = [(title, of) for title, of in _CHARTS if any(map(of, runs))]
    if not charts:
        return Figure(layout=dict(title='Nothing has been logged yet.'))
    figure = make_subplots(
        rows=len(charts),
        shared_xaxes=True,
        subplot_titles=[title for title, _ in charts],
        vertical_spacing=0.22 / len(charts),
    )
    for number, row in enumerate(rows):
        color = [*COLORS.values()][number % len(COLORS)]
        dash = _DASHES[number // len(COLORS) % len(_DASHES)]
        name, is_listed = escape(row.name, quote=False), True  # Plotly reads tags
        for run in row.runs:
            for place, (_, course_of) in enumerate(charts, 1):
                course = course_of(run)
                if not course:
                    continue
                x, y = zip(*course[:: -(-len(course) // _POINTS)], strict=True)
                line = Scatter(x=x, y=y, name=name, legendgroup=name)
                line.update(line=dict(color=color, dash=dash, width=1.5))
                line.mode = 'lines+markers' if course_of is _scores else 'lines'
                line.showlegend, is_listed = is_listed, False
                figure.add_trace(line, row=place, col=1)
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
            figure.update_yaxes(type='log', nticks=5, row=place, col=1)
    return figure


def _values(points: Sequence[Point], *names: str | None) -> list[tuple[int, float]]:
    """Returns steps with the first of the values that each point has."""
    known = [(p, [name for name in names if name in p.values]) for p in points]
    return [(p.step, p.values[found[0]]) for p, found in known if found]


def _scores(run: LoggedRun) -> list[tuple[int, float]]:
    return _values(run.validations, run.metric)


def _training(*names: str) -> _Course:
    return lambda run: _values(run.training, *names)


_CHARTS: tuple[tuple[str, _Course], ...] = (
    ('Score in validation', _scores),
    # Plain training logs its only loss as `loss_kpt`.
    ('Pose loss, against the labels', _training('pose', 'loss_kpt')),
    ('Distillation loss, against the teacher', _training('kd')),
    ('Total loss', _training('loss')),
    ('Learning rate', _training('lr')),
)
