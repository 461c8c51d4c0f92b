"""Reads text and JSON in UTF-8, or in UTF-16 or UTF-32 with a byte order mark."""

import codecs
import io
import json
from pathlib import Path
from typing import Any

from fpd_mmpose.errors import UserError

#: Byte order marks; that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
_BLANK = b' \t\r\n' + codecs.BOM_UTF8


def read_text(path: str | Path, what: str) -> str:
    """Reads a text file; errors say that it should hold ``what``."""
    content = _read_bytes(path, what)
    found = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    try:
        return content.decode(found[0] if found else 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise _not_text(path, what) from error


def read_lines(path: str | Path, what: str) -> list[str]:
    """Reads the lines of a text file, without white space around them."""
    # Unlike str.splitlines(), this splits at line ends alone.
    return [line.strip() for line in io.StringIO(read_text(path, what), newline=None)]


def read_json(path: str | Path, what: str) -> Any:
    """Reads a JSON file; errors say that it should hold ``what``."""
    content = _read_bytes(path, what)
    if not content.strip(_BLANK):
        raise UserError(f'"{path}" is empty: expected {what}')
    try:
        return parse_json(content)
    except UnicodeDecodeError as error:
        raise _not_text(path, what) from error
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or 'Unterminated' in error.msg
        advice = 'is the file truncated?' if cut else 'correct or replace the file.'
        raise UserError(
            f'"{path}" is not valid JSON ({error}): {advice} Expected {what}'
        ) from error
    except ValueError as error:
        raise UserError(f'"{path}" cannot be read: {error}; expected {what}') from error


def read_json_lines(path: str | Path, what: str) -> list[Any]:
    """Reads a file with a JSON value on each line that is not blank."""
    values = []
    for number, line in enumerate(read_lines(path, what), 1):
        try:
            values += [parse_json(line)] if line else []
        except ValueError as error:
            raise UserError(
                f'line {number} of "{path}" is not JSON ({error}): expected {what}'
            ) from error
    return values


def parse_json(content: str | bytes) -> Any:
    """Parses JSON, bytes in any Unicode encoding; all of its errors are ValueErrors."""
    try:
        return json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except RecursionError as error:
        raise ValueError('its JSON is nested too deeply') from error
    except ValueError as error:  # Python limits the digits of integers
        raise ValueError('its JSON has an integer of thousands of digits') from error


def _read_bytes(path: str | Path, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = 'does not exist' if not Path(path).exists() else 'cannot be read'
        raise UserError(f'"{path}" {reason}: expected {what}') from error


def _not_text(path: str | Path, what: str) -> UserError:
    return UserError(
        f'"{path}" is not UTF-8 text: save it as UTF-8, or choose another file; '
        f'expected {what}'
    )
