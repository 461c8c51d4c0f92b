"""Text and JSON are read in any Unicode encoding, on any machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fpd_mmpose.config import load_config
from fpd_mmpose.detection.journal import Journal
from fpd_mmpose.files import write_json
from fpd_mmpose.readers.text import (
    parse_json,
    read_json,
    read_json_lines,
    read_lines,
    read_text,
)
from fpd_mmpose.reports.logs import read_log
from tests.helpers import ROOT
from tests.helpers.refusals import refused

ENCODINGS = ['utf-8', 'utf-8-sig', 'utf-16', 'utf-32']
DEEP = '[' * 100_000
LONG = f'{{"a": {"1" * 5000}}}'
#: Bytes of JSON or a list that cannot be read, and what is said about them.
UNREADABLE = {
    'deep': (DEEP.encode(), 'nested too deeply'),
    'long': (LONG.encode(), 'integer of thousands of digits'),
    'latin': ('{"a": "\xe4"}'.encode('latin-1'), 'is not UTF-8 text: save it as UTF-8'),
    'half': (b'\xff\xfe{\0"', 'is not UTF-8 text: save it as UTF-8'),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'file.json'


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_encodings(path, encoding):
    content = {'name': 'M\xfcller \u4eba\r\n'}
    text = json.dumps(content, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert read_json(path, 'people') == content
    assert read_text(path, 'people') == text
    path.write_bytes(f'\r\n{text} \r\n\r\n{text}\r\n'.encode(encoding))
    assert read_json_lines(path, 'people') == [content] * 2


def test_lines_end_at_line_ends_alone(path):
    path.write_bytes('a\u2028b\r\n \x85c\x0bd \r\n'.encode())
    assert read_lines(path, 'names') == ['a\u2028b', 'c\x0bd']


@pytest.mark.parametrize(('content', 'why'), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize('read', [read_json, read_json_lines])
def test_what_cannot_be_read_is_named(path, read, content, why):
    path.write_bytes(content)
    message = refused(read, path, 'a list of people')
    assert f'"{path}"' in message and why in message
    assert 'a list of people' in message and 'truncated' not in message


@pytest.mark.parametrize(
    ('text', 'advice'),
    [
        ('[{"image": "a', 'truncated?'),
        ('[{"image": ', 'truncated?'),
        ('[1, 2', 'truncated?'),
        ('[1, 2,, 3]', 'correct or replace'),
        ("{'a': 1}", 'correct or replace'),
    ],
)
def test_only_a_file_that_ends_early_may_be_truncated(path, text, advice):
    path.write_text(text + '\n')
    assert advice in refused(read_json, path, 'people')


@pytest.mark.parametrize('content', [b'', b'\xef\xbb\xbf', b'\xef\xbb\xbf \r\n'])
def test_an_empty_file(path, content):
    path.write_bytes(content)
    assert 'is empty: expected people' in refused(read_json, path, 'people')


def test_missing_files(path):
    for read in (read_json, read_text):
        assert 'does not exist: expected people' in refused(read, path, 'people')
        assert 'cannot be read: expected people' in refused(read, path.parent, 'people')


def test_numbers_that_are_not_finite_are_left_to_the_checks_of_fields():
    assert parse_json('[Infinity, 1e999]') == [float('inf')] * 2


# --- Other readers -------------------------------------------------------------------


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_a_log_in_any_encoding(path, encoding):
    lines = '{"epoch": 1, "step": 5}\r\n\r\n{"PCKh/Mean": 3.0, "step": 1}\r\n'
    path.write_bytes(lines.encode(encoding))
    assert read_log(path).validations == {1: {'PCKh/Mean': 3.0}}


@pytest.mark.parametrize('line', [DEEP, LONG])
def test_a_log_that_cannot_be_parsed_is_named(path, line):
    path.write_text(f'{{"step": 1}}\n\n{line}\n{{}}\n')
    assert f'log "{path}", line 3: not JSON' in refused(read_log, path)


def test_a_log_of_another_encoding_is_named(path):
    path.write_bytes(UNREADABLE['latin'][0])
    assert f'log "{path}" is not UTF-8 text' in refused(read_log, path)


def test_a_metric_beyond_float_is_infinite(path):
    path.write_text(f'{{"AP": {"9" * 400}}}')
    assert read_log(path).metrics == {'AP': float('inf')}


def test_a_damaged_journal_is_named(path):
    path.write_text(f'{{"options of the run": {{}}}}\n{DEEP}\n')
    assert f'"{path}", line 2, is damaged' in refused(Journal, path, {})


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'latin-1'])
def test_a_config_of_another_encoding_says_what_to_do(tmp_path, encoding):
    path = tmp_path / 'config.py'
    path.write_bytes("model = dict(type='A')  # \xe4\n".encode(encoding))
    message = refused(load_config, path)
    assert f'"{path}"' in message
    assert 'save it as UTF-8 without a byte order mark' in message


# --- Machines without UTF-8 ----------------------------------------------------------

SCRIPT = """
import sys
from fpd_mmpose.errors import one_line_errors
from fpd_mmpose.files import write_json
from fpd_mmpose.readers.text import read_json, read_lines
folder = sys.argv[1]
with one_line_errors():
    write_json(f'{folder}/copy.json', read_json(f'{folder}/people.json', 'people'))
    print(*read_json(f'{folder}/copy.json', 'people'))
    print(*read_lines(f'{folder}/list.txt', 'names'))
    print(sys.stdout.encoding.lower())
"""


def test_a_locale_without_unicode(tmp_path):
    names = ['M\xfcller.jpg', '\u4eba.jpg']
    (tmp_path / 'people.json').write_text(
        json.dumps(names, ensure_ascii=False), encoding='utf-8'
    )
    (tmp_path / 'list.txt').write_text('\n'.join(names), encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, str(tmp_path)],
        env=os.environ
        | dict(
            LC_ALL='C',
            PYTHONUTF8='0',
            PYTHONCOERCECLOCALE='0',
            PYTHONPATH=str(ROOT),
            PYTHONIOENCODING='',
        ),
        capture_output=True,
        encoding='ascii',
    )
    assert not done.stderr and done.returncode == 0
    escaped = r'M\xfcller.jpg \u4eba.jpg'
    first, second, encoding = done.stdout.splitlines()
    assert first == second == escaped
    assert encoding in ('ascii', 'ansi_x3.4-1968')
    assert read_json(tmp_path / 'copy.json', 'people') == names


def test_what_is_written_is_utf8(path):
    write_json(path, ['\xfc'])
    assert json.loads(path.read_bytes()) == ['\xfc']
