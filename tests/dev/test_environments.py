"""``dev/compat.py`` tries the project in other environments, and lists them."""

import json
from pathlib import Path

import pytest

import compat
from environments import page
from environments.rows import ROWS
from tests.helpers import ROOT

DONE = dict(date='2026-11-27', versions={'python': '3.12.1'}, steps=['ok a'], suite='')


@pytest.fixture
def tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[tuple[str, bool, bool]]:
    """The rows that are tried: name, whether its folder is there, and --suite."""
    calls = []

    def try_row(row: object, folder: Path, suite: bool) -> dict:
        calls.append((folder.name, folder.is_dir(), suite))
        return {**DONE, 'suite': '5 passed' if suite else ''}

    monkeypatch.setattr(compat, 'try_row', try_row)
    monkeypatch.setattr(compat, 'PUBLISHED', tmp_path / 'published.json')
    monkeypatch.setattr(compat, 'write_page', lambda *_: None)
    monkeypatch.setattr(compat, '_python', lambda version: f'python{version}')
    return calls


def environment(folder: Path, name: str, **known: object) -> None:
    """Leaves what an earlier command has made and found."""
    (folder / name).mkdir()
    (folder / name / 'made').touch()
    found = json.dumps({name: {**DONE, **known}})
    (folder / 'results.json').write_text(found, encoding='utf-8')


def test_what_is_known_is_not_tried_again(tried, tmp_path):
    environment(tmp_path, 'newest')
    compat.main(['newest', 'oldest', '--folder', str(tmp_path)])
    assert tried == [('oldest', False, False)]
    tried.clear()
    compat.main(['newest', 'oldest', '--folder', str(tmp_path)])
    assert tried == []


def test_an_environment_that_stands_is_tested_as_it_is(tried, tmp_path):
    environment(tmp_path, 'newest')
    compat.main(['newest', '--suite', '--folder', str(tmp_path)])
    assert tried == [('newest', True, True)]
    found = json.loads((tmp_path / 'results.json').read_text('utf-8'))
    assert found['newest']['suite'] == '5 passed'
    compat.main(['newest', '--suite', '--folder', str(tmp_path)])
    assert len(tried) == 1


def test_an_environment_is_made_anew_if_asked_for_or_unfinished(tried, tmp_path):
    environment(tmp_path, 'newest', suite='5 passed')
    compat.main(['newest', '--again', '--folder', str(tmp_path)])
    environment(tmp_path, 'oldest')
    (tmp_path / 'oldest/made').unlink()
    compat.main(['oldest', '--suite', '--folder', str(tmp_path)])
    assert tried == [('newest', False, False), ('oldest', False, True)]


def test_the_docs_keep_what_they_say_of_other_rows(tried, tmp_path):
    published = {'onedl': DONE, 'oldest': DONE}
    compat.PUBLISHED.write_text(json.dumps(published), encoding='utf-8')
    compat.main(['oldest', '--suite', '--folder', str(tmp_path)])
    expected = {'onedl': DONE, 'oldest': {**DONE, 'suite': '5 passed'}}
    assert json.loads(compat.PUBLISHED.read_text('utf-8')) == expected


def test_the_page_says_what_failed_and_what_was_not_tried(tmp_path):
    results = {
        'newest': {**DONE, 'suite': '5 passed'},
        'oldest': {**DONE, 'steps': ['ok a', 'FAILED export']},
    }
    page.write_page(results, tmp_path / 'page.md')
    lines = (tmp_path / 'page.md').read_text('utf-8').splitlines()
    rows = {line.split(' | ')[0][2:]: line for line in lines if line.startswith('| ')}
    assert 'all work | 5 passed | python 3.12.1 | 2026' in rows[ROWS['newest'].title]
    assert '| **fails**: export |' in rows[ROWS['oldest'].title]
    assert '| not tried |' in rows[ROWS['onedl'].title]


def test_the_page_of_the_docs_has_what_was_found(tmp_path):
    published = json.loads(compat.PUBLISHED.read_text('utf-8'))
    assert {*ROWS} == {*published}
    assert all(
        step.startswith('ok ') for row in published.values() for step in row['steps']
    )
    page.write_page(published, tmp_path / 'page.md')
    text = (ROOT / 'docs/background/environments.md').read_text('utf-8')
    assert text == (tmp_path / 'page.md').read_text('utf-8')
