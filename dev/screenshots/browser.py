"""Opens the web demo in a headless browser, for tests and the docs."""

import io
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image

from fpd_mmpose.demos.web import open_server
from fpd_mmpose.demos.web.upload import SIDES
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done

#: Milliseconds. A large network takes seconds on a busy machine.
TIMEOUT = 60_000


@contextmanager
def open_page(url: str, width: int = 1100, height: int = 800) -> Iterator[Any]:
    """Opens a URL in the installed Chromium and yields Playwright's page."""
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    if chromium is None:
        raise UserError('there is no program chromium: install it')
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError('playwright is not installed: pip install it') from error
    # Chromium's sandbox does not work as root.
    arguments = ['--no-sandbox'] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            page = browser.new_page(viewport=dict(width=width, height=height))
            page.set_default_timeout(TIMEOUT)
            page.goto(url)
            yield page
        finally:
            browser.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serves the page on a free port of this machine, and yields its URL."""
    server = open_server(app, '127.0.0.1', 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.port}/'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def save_screenshot(
    app: Flask, image: str | Path, box: Sequence[int], out: str | Path
) -> None:
    """Uploads an image with a box (xyxy in pixels), and saves a screenshot as PNG."""
    with served(app) as url, open_page(url) as page:
        page.set_input_files('#image', image)
        page.check('input[value=box]')
        for side, value in zip(SIDES, box, strict=True):
            page.fill(f'#{side}', str(value))
        page.click('#go')
        page.wait_for_selector('#results img.skeleton')
        content = page.screenshot(full_page=True)
    screenshot = Image.open(io.BytesIO(content)).convert('RGB')
    with replace_when_done(out) as partial:
        screenshot.quantize(256).save(partial, format='png', optimize=True)
