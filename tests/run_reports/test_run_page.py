"""The page of a report, of runs of the real Runner."""

import copy
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fpd_mmpose.run_reports import RunReport, report_runs
from tests.helpers.finished import write_run
from tests.helpers.reduced import reduced_config, reduced_distiller, run

pytest.importorskip('plotly')


@pytest.fixture(scope='module')
def report(mpii_root, tmp_path_factory) -> RunReport:
    """A plain network, and one with a teacher, of which panels were drawn."""
    folder = tmp_path_factory.mktemp('runs')
    size = dict(stacks=1, features=8, epochs=2)
    plain = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, folder / 'plain', **size
    )
    fpd = reduced_distiller(mpii_root, folder, **size)
    fpd.custom_hooks = [
        dict(type='DistillVisualizationHook', num_people=2, num_worst=2),
        dict(type='ValidateBeforeTrainingHook'),
    ]
    for config in (plain, fpd):
        config = copy.deepcopy(config)
        config.log_level = 'INFO'
        config.default_hooks.logger.interval = 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'orig_argv', ['python3', '/bin/fpd', 'train', 'a b.py'])
            run(config)
    return report_runs([folder / 'plain', f'FPD={folder / "run"}'])


@pytest.fixture(scope='module')
def page(report, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('page') / 'report.html'
    report.save(path)
    return path


def test_machines_and_times_come_from_the_logs(report):
    found = report.machines[1]
    assert re.search(r'Python 3\.\d+\.\d+, PyTorch 2\.', found['Versions'])
    assert found['Processes'] == '1' and found['Device']
    assert re.fullmatch(r'0:0\d:\d\d', found['Wall time'])
    assert float(found['People / s']) > 0
    assert [row.first.is_finished for row in report.rows] == [True, True]
    assert report.rows[1].first.parameters() == report.rows[0].first.parameters() > 0
    assert found['Command line'] == "fpd train 'a b.py'"
    assert float(report.results[1]['GFLOPs']) > 0
    hours = report.rows[1].first.wall_time.total_seconds() / 3600
    priced = replace(report, hourly_cost=3600.0).machines[1]
    assert float(priced['Cost']) == pytest.approx(3600 * hours)


def test_the_worst_people_are_those_of_the_best_validation(report):
    run = report.rows[1].first
    assert [*run.pictures] == ['heatmaps', 'worst_of_student', 'worst_of_teacher']
    steps = {name: path.stem.split('_')[-1] for name, path in run.pictures.items()}
    best = str(run.best.step)
    assert steps == dict(heatmaps='6', worst_of_student=best, worst_of_teacher='0')


def test_the_page_holds_curves_and_panels_and_asks_for_nothing(page, report):
    text = page.read_text(encoding='utf-8')
    assert "default-src 'none'" in text
    assert text.count('src="data:image/jpeg;base64,') == 3
    assert 'FPD: the people on whom its teacher is farthest off' in text
    assert 'plain: no panel' in text
    (data,) = re.findall(r'id="course">(.*?)</script>', text)
    titles = {each['text'] for each in json.loads(data)['layout']['annotations']}
    assert {'Score in validation', 'Total loss', 'Learning rate'} <= titles
    assert len(titles) == 5
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="?(?!data:)\w', text)


def test_what_files_say_is_no_html(tmp_path):
    run = write_run(tmp_path / '<b>&</b>', {1: 50.0}, '<script>alert(1)</script>')
    other = write_run(tmp_path / 'other', {1: 50.0})
    report_runs([run, other]).save(tmp_path / 'report.html')
    text = (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert '<script>alert' not in text and '&lt;script&gt;alert(1)' in text
    assert '<b>' not in text.replace('.html("<b>', '').split('<script>')[0]


def test_a_panel_that_is_gone_has_a_placeholder(tmp_path):
    run = write_run(tmp_path / 'run', {1: 50.0})
    panel = next(run.glob('*/vis_data')) / 'vis_image/heatmaps_10.png'
    panel.parent.mkdir()
    panel.write_bytes(b'half a picture')
    report_runs([run]).save(tmp_path / 'report.html')
    text = (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert re.search(r'<div class="gone">.*heatmaps_10.png.*not an image', text)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which('chromium'), reason='there is no chromium')
@pytest.mark.parametrize('width', [1200, 380])
def test_a_browser_shows_all_of_it_at_any_width(page, width):
    pytest.importorskip('playwright')
    from screenshots.browser import open_page

    problems = []
    with open_page('about:blank', width) as tab:
        tab.on('pageerror', lambda error: problems.append(str(error)))
        tab.on('console', lambda message: problems.append(message.text))
        tab.goto(page.as_uri())
        tab.wait_for_selector('#curves .main-svg .scatterlayer path')
        assert tab.evaluate('document.documentElement.scrollWidth') <= width
        for section in ('results', 'courses', 'panels', 'configs', 'machines'):
            assert tab.locator(f'#{section}').is_visible()
            assert tab.locator(f'#{section}').bounding_box()['height'] > 60
        widths = 'images => images.map(image => image.naturalWidth)'
        assert min(tab.locator('#panels img').evaluate_all(widths)) > 100
        assert 'FPD' in tab.locator('#curves .legend').text_content()
    assert not problems
