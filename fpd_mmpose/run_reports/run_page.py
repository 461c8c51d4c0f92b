"""Writes a report as one HTML page that needs no other file, and no network."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from fpd_mmpose.errors import PackageError, UserError
from fpd_mmpose.inputs import encode_image, read_image
from fpd_mmpose.run_reports.result_rows import ResultRow
from fpd_mmpose.run_reports.run_report import RunReport, TextTable, gain_text

_STYLE = """
body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: #1f2933;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #cbd2d9; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; font-size: .9rem; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #e4e7eb;
  white-space: nowrap; vertical-align: top; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, .text th, .text td { text-align: left; }
.text td { white-space: normal; min-width: 7rem; }
.best td { font-weight: bold; }
ul { font-size: .9rem; color: #52606d; padding-left: 1.2rem; }
figure { margin: 0 0 1.5rem; }
figure img { max-width: 100%; }
.gone { background: #e4e7eb; padding: 1.5rem; }
"""
_DRAW = """
const figure = JSON.parse(document.getElementById('course').textContent);
Plotly.newPlot('curves', figure.data, figure.layout,
  {responsive: true, displaylogo: false});
"""


def page_of(report: RunReport) -> str:
    """Returns the page."""
    scripts, curves = _curves(report)
    hashes = ' '.join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes or chr(39) + 'none' + chr(39)}; "
        "style-src 'unsafe-inline'; img-src data: blob:"
    )
    return '\n'.join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>Training report</title><style>{_STYLE}</style>',
            *_body(report, curves),
            *(f'<script>{script}</script>' for script in scripts),
            '</html>',
        ]
    )


def _body(report: RunReport, curves: str) -> Iterator[str]:
    yield f'<h1>Training report</h1><p>{escape(_summary(report))}</p>'
    yield f'<section id="results"><h2>Results</h2>{_table(report.results)}<ul>'
    yield from (f'<li>{escape(note)}</li>' for note in report.notes)
    yield f'</ul></section><section id="courses"><h2>Curves</h2>{curves}</section>'
    yield '<section id="panels"><h2>What the networks see</h2>'
    yield from _panels(report.rows)
    yield '</section><section id="configs"><h2>What differs between the configs</h2>'
    if report.settings[1]:
        yield '<p>Of runs that differ in their seeds alone, the first is shown.</p>'
        yield _table(report.settings, text=True)
    else:
        yield '<p>Nothing.</p>'
    yield '</section><section id="machines"><h2>Machines and times</h2>'
    yield f'{_table(report.machines, text=True)}</section>'


def _summary(report: RunReport) -> str:
    runs = [run for row in report.rows for run in row.runs]
    finished = sum(run.is_finished for run in runs)
    text = f'{len(runs)} runs, of which {finished} finished.'
    metric, sign = (
        report.baseline.first.metric,
        -1 if report.baseline.first.less_is_better else 1,
    )
    if metric is None:
        return f'{text} There is no validation yet.'
    scored = [
        (sign * mean, row.name, gain_text(gain))
        for row, gain in zip(report.rows, report.gains, strict=True)
        if gain != 'other data' and (mean := row.mean(metric)) is not None
    ]
    if scored:
        score, name, gain = max(scored, key=lambda one: one[0])
        text += f' The best {metric} is that of {name}: {sign * score:.3f}'
        text += f', {gain} over {report.baseline.name}.' if gain else '.'
    return text


def _table(table: TextTable, text: bool = False) -> str:
    lines = []
    for tag, row in (('th', table[0]), *(('td', row) for row in table[1])):
        cells = ''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)
        lines.append(f'<tr>{cells}</tr>')
    kind = ' class="text"' if text else ''
    return f'<div class="wide"><table{kind}>{"".join(lines)}</table></div>'


def _curves(report: RunReport) -> tuple[list[str], str]:
    """Returns the scripts of the page, and where they draw."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise PackageError.missing('plotly') from error
    from fpd_mmpose.run_reports.course_figure import draw_courses

    figure = draw_courses(report.rows)
    if figure is None:
        return [], '<p class="gone">Nothing has been logged yet.</p>'
    content = figure.to_json().replace('<', '\\u003c')
    return [get_plotlyjs().replace('\r\n', '\n'), _DRAW], (
        '<p>Drag to zoom, double-click to zoom out; a click on a name hides a run.</p>'
        '<div id="curves"></div><noscript>The curves need JavaScript.</noscript>'
        f'<script type="application/json" id="course">{content}</script>'
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _panels(rows: Sequence[ResultRow]) -> Iterator[str]:
    drawn = [(row, row.first.panel) for row in rows]
    if any(panel for _, panel in drawn):
        yield '<p>The last panel of each run: people with their labels, the heatmaps'
        yield 'of the teacher, if there is one, and those of the trained network.</p>'
    for row, panel in drawn:
        if panel is None:
            continue
        caption = f'{row.name}, after {panel.stem.rpartition("_")[2]} steps'
        try:
            data = base64.b64encode(
                encode_image(read_image(panel), '.jpg', 85)
            ).decode()
            shown = f'<img alt="{escape(caption)}" src="data:image/jpeg;base64,{data}">'
        except UserError as error:
            shown = f'<div class="gone">{escape(str(error))}</div>'
        yield f'<figure><figcaption>{escape(caption)}</figcaption>{shown}</figure>'
    if without := [row.name for row, panel in drawn if panel is None]:
        text = (
            f'No panels of {", ".join(without)}: DistillVisualizationHook draws them.'
        )
        yield f'<p class="gone">{escape(text)}</p>'
