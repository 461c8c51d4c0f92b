"""The page in a browser."""

import shutil

import cv2
import numpy as np
import pytest

from fpd_mmpose.demos.web import create_app
from fpd_mmpose.demos.web.upload import SIDES
from screenshots.browser import open_page, save_screenshot, served

pytest.importorskip('playwright')
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which('chromium'), reason='there is no chromium'),
]


@pytest.fixture(scope='module')
def app(student, teacher):
    return create_app([student, teacher], kpt_thr=0, max_megabytes=0.5)


@pytest.fixture
def page(app, request):
    width = getattr(request, 'param', 1100)
    with served(app) as url, open_page(url, width) as page:
        problems = []
        page.on('pageerror', lambda error: problems.append(str(error)))
        page.on('requestfailed', lambda request: problems.append(request.url))
        page.on(
            'request',
            lambda request: (
                request.url.startswith((url, 'data:', 'blob:'))
                or problems.append(request.url)
            ),
        )
        yield page
        assert not problems


def choose(page, image_file) -> None:
    page.set_input_files('#image', image_file)
    page.wait_for_selector('#frame:not([hidden])')


def test_student_and_teacher_are_side_by_side(page, image_file):
    choose(page, image_file)
    assert page.inner_text('#status') == '90 × 120 pixels'
    page.click('text=Find keypoints')
    page.wait_for_selector('#results img.skeleton')
    assert page.locator('figure h2').all_inner_texts() == ['Student', 'Teacher']
    for label in ('student', 'teacher'):
        figure = page.locator(f'figure[data-label={label}]')
        assert figure.locator('.timing').inner_text().endswith(' ms')
        skeleton, heat = figure.locator('img.skeleton'), figure.locator('img.heatmap')
        assert skeleton.evaluate('image => image.naturalHeight') == 480
        assert '1 person' in skeleton.get_attribute('alt')
        assert skeleton.is_visible() and not heat.is_visible()
    left, right = (
        page.locator(f'figure[data-label={label}]').bounding_box()
        for label in ('student', 'teacher')
    )
    assert left['y'] == right['y'] and left['x'] + left['width'] <= right['x']
    page.check('#heatmaps')
    assert page.locator('img.heatmap').first.is_visible()
    assert not page.locator('img.skeleton').first.is_visible()
    page.click('summary >> nth=0')
    assert 'right ankle' in page.inner_text('table >> nth=0')


@pytest.mark.parametrize('page', [360], indirect=True)
def test_a_box_can_be_drawn_on_a_phone_and_everything_fits(page, image_file):
    choose(page, image_file)
    page.check('input[value=box]')
    page.locator('#preview').scroll_into_view_if_needed()
    area = page.locator('#preview').bounding_box()
    page.mouse.move(area['x'] + 60, area['y'] + 90)
    page.mouse.down()
    page.mouse.move(area['x'] + 20, area['y'] + 10)
    page.mouse.up()
    x1, y1, x2, y2 = (float(page.input_value(f'#{side}')) for side in SIDES)
    assert (x1, y1) == pytest.approx((20, 10), abs=2)
    assert (x2, y2) == pytest.approx((60, 90), abs=2)
    assert page.locator('#rectangle').is_visible()
    page.click('#go')
    page.wait_for_selector('#results img.skeleton')
    for selector in ('form *', 'figure', 'figure img.skeleton'):
        rights = page.locator(selector).evaluate_all(
            'found => found.map((one) => one.getBoundingClientRect().right)'
        )
        assert max(rights) <= 360, selector


def test_it_works_with_the_keyboard(page, image_file):
    choose(page, image_file)
    page.focus('#image')
    page.keyboard.press('Tab')
    page.keyboard.press('ArrowDown')
    for text in ('5', '10', '80', '110'):
        page.keyboard.press('Tab')
        page.keyboard.type(text)
    assert page.locator('#rectangle').is_visible()
    page.keyboard.press('Enter')
    page.wait_for_selector('#results img.skeleton')


def test_a_file_can_be_dropped(page):
    page.evaluate(
        """async () => {
            const canvas = document.createElement('canvas');
            canvas.width = 30; canvas.height = 40;
            canvas.getContext('2d').fillRect(0, 0, 9, 9);
            const blob = await new Promise((resolve) => canvas.toBlob(resolve));
            const files = new DataTransfer();
            files.items.add(new File([blob], 'dropped.png', {type: 'image/png'}));
            document.getElementById('drop').dispatchEvent(
                new DragEvent('drop', {dataTransfer: files, cancelable: true}));
        }"""
    )
    page.wait_for_selector('#frame:not([hidden])')
    page.click('#go')
    page.wait_for_selector('#results img.skeleton')
    assert page.inner_text('#status') == 'dropped.png: 1 person'


def test_errors_are_shown_and_names_are_not_html(page, image_file, tmp_path):
    page.click('#go')
    assert page.inner_text('#error') == 'Choose an image first.'
    evil = tmp_path / '<img src=x onerror=alert(1)>.png'
    evil.write_text('text')
    page.set_input_files('#image', evil)
    page.wait_for_selector('#error:not([hidden])')
    page.click('#go')
    page.wait_for_selector('#error:has-text("JPEG")')
    assert '<img src=x onerror=alert(1)>.png" is not a JPEG' in page.inner_text(
        '#error'
    )
    assert page.locator('#error img').count() == 0
    evil = shutil.copy(image_file, tmp_path / '<img src=x onerror=alert(2)>.png')
    choose(page, evil)
    assert not page.locator('#error').is_visible()
    page.click('#go')
    page.wait_for_selector('#results img.skeleton')
    assert page.inner_text('#status') == '<img src=x onerror=alert(2)>.png: 1 person'
    large = tmp_path / 'large.png'
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    cv2.imwrite(str(large), noise)
    choose(page, large)
    page.click('#go')
    assert 'too large' in page.inner_text('#error')


def test_the_screenshot_for_the_docs(app, image_file, tmp_path):
    save_screenshot(app, image_file, (10, 10, 80, 110), tmp_path / 'page.png')
    assert cv2.imread(str(tmp_path / 'page.png')).shape[1] == 1100
