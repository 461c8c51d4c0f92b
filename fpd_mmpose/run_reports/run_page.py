"""Writes a report as one HTML page that needs no other file, and no network."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import data_url, read_image
from fpd_mmpose.markdown import html_rows
from fpd_mmpose.run_reports.course_figure import draw_courses
from fpd_mmpose.run_reports.logged_run import PICTURES
from fpd_mmpose.run_reports.result_rows import OTHER_DATA, ResultRow
from fpd_mmpose.run_reports.run_report import Cells, RunReport, gain_text


def page_of(report: RunReport) -> str:
    """Returns the page, which may run the scripts of this package and no other."""
    page, draw = (Path(__file__).with_name(f'page.{end}') for end in ('html', 'js'))
    # With the line ends that browsers read, and hash.
    scripts = (get_plotlyjs().replace('\r\n', '\n'), draw.read_text(encoding='utf-8'))
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = ' '.join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    return Template(page.read_text(encoding='utf-8')).substitute(
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        'img-src data: blob:',
        summary=escape(_summary(report)),
        results=_table(report.results),
        notes=''.join(f'<li>{escape(note)}</li>' for note in report.notes),
        panels=''.join(_panels(row) for row in report.rows),
        settings=_table(report.settings, ' class="text"'),
        machines=_table(report.machines, ' class="text"'),
        course=draw_courses(report.rows).to_json().replace('<', '\\u003c'),
        plotly=scripts[0],
        draw=scripts[1],
    )


def _summary(report: RunReport) -> str:
    runs = [run for row in report.rows for run in row.runs]
    text = f'{sum(run.is_finished for run in runs)} of {len(runs)} runs finished.'
    metric = report.baseline.first.metric
    for row, gain in zip(report.rows, report.gains, strict=True):
        mean = row.mean(metric or '')
        if mean is not None and gain != OTHER_DATA:
            over = f' ({gain_text(gain)} over {report.baseline.name})' if gain else ''
            text += f' {row.name}: {mean:.3f} {metric}{over}.'
    return text


def _table(lines: Sequence[Cells], kind: str = '') -> str:
    if not lines:
        return '<p>Nothing.</p>'
    rows = html_rows([*lines[0]], [[*cells.values()] for cells in lines])
    return f'<div class="wide"><table{kind}>{rows}</table></div>'


def _panels(row: ResultRow) -> str:
    found = row.first.pictures
    if not found:
        text = f'{row.name}: no panel (DistillVisualizationHook draws them)'
        return f'<p class="gone">{escape(text)}</p>'
    return ''.join(_panel(row.name, name, path) for name, path in found.items())


def _panel(run: str, name: str, path: Path) -> str:
    caption = escape(PICTURES[name].format(run, path.stem.rpartition('_')[2]))
    try:
        shown = f'<img alt="{caption}" src="{data_url(read_image(path), 85)}">'
    except UserError as error:
        shown = f'<div class="gone">{escape(str(error))}</div>'
    return f'<figure><figcaption>{caption}</figcaption>{shown}</figure>'
