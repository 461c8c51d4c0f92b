"""The page in a real browser without a window, for tests and the docs' picture."""

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image

from fpd_mmpose.demos.web.server import served
from fpd_mmpose.demos.web.upload import SIDES
from fpd_mmpose.files import replace_when_done

#: A network as slow as the reference's teacher takes seconds on a busy machine.
TIMEOUT = 60_000


@contextmanager
def open_page(url: str, width: int = 1100, height: int = 800) -> Iterator[Any]:
    """Opens an address in the machine's Chromium.

    Args:
        url (str): The address.
        width (int): Of the page in pixels. Defaults to 1100.
        height (int): Of the page in pixels. Defaults to 800.

    Yields:
        playwright.sync_api.Page: The page.

    Raises:
        ValueError: If there is no Chromium or no Playwright. One line.
    """
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    if chromium is None:
        raise ValueError('there is no program chromium: install it')
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ValueError('playwright is not installed: pip install it') from error
    # Chromium refuses to confine itself as root.
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


def save_screenshot(
    app: Flask, picture: str | Path, box: Sequence[int], out: str | Path
) -> None:
    """Sends a picture to the page and saves what the page then looks like.

    Args:
        app (Flask): See :func:`create_app`.
        picture (str | Path): The picture to send.
        box (Sequence[int]): Of the person, ``x1, y1, x2, y2`` in pixels.
        out (str | Path): PNG file to write, with 256 colours.

    Raises:
        ValueError: If there is no browser, or the file cannot be written. One line.
    """
    with served(app) as url, open_page(url) as page:
        page.set_input_files('#image', picture)
        page.check('input[value=box]')
        for side, value in zip(SIDES, box, strict=True):
            page.fill(f'#{side}', str(value))
        page.click('#go')
        page.wait_for_selector('#results img.skeleton')
        content = page.screenshot(full_page=True)
    image = Image.open(io.BytesIO(content)).convert('RGB')
    with replace_when_done(out) as partial:
        image.quantize(256).save(partial, format='png', optimize=True)
