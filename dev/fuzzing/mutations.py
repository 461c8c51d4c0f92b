"""Damages valid content, reproducibly."""

import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

#: Values of other types, which replace those of a valid file.
STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    3,
    0.5,
    -0.0,
    1e-320,
    1e300,
    -1e300,
    math.nan,
    math.inf,
    -math.inf,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    '',
    ' ',
    '0',
    '3',
    '1e3',
    'nan',
    'person',
    'a\0b',
    '\0',
    '\ud800',
    '\udcff.jpg',
    'two\nlines',
    '../x',
    '/',
    '.',
    '~',
    'x' * 300,
    'x' * 70_000,
    '{}{0}%s',
    [],
    [[]],
    [None],
    ['3'],
    [1, 2],
    [[1, 2], [3]],
    [10**400, 1.5],
    {},
    {'a': 1},
    {'id': None},
)
#: Literals that Python writes otherwise, by a text that stands for them.
LITERALS = {
    '@float': '1e400',
    '@integer': '1' + '0' * 5000,
    '@list 100': '[' * 100 + ']' * 100,
    '@list 990': '[' * 990 + ']' * 990,
    '@list': '[' * 100_000 + ']' * 100_000,
    '@dict': '{"a":' * 5000 + '1' + '}' * 5000,
    '@open': '[' * 50_000,
}
_STANDS_FOR = re.compile(f'"({"|".join(LITERALS)})"')


def strange_value(rng: Random) -> Any:
    """Chooses a value that hardly fits."""
    if rng.random() < 0.06:
        return rng.choice([*LITERALS])
    value = rng.choice(STRANGE)
    if rng.random() < 0.1:
        for _ in range(rng.choice((1, 2, 40, 70))):
            value = [value]
    return value


def damaged_value(rng: Random, value: Any) -> Any:
    """Changes a value of lists and dicts in one to three places."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        value = _changed(rng, value)
    return value


def damaged_json(rng: Random, value: Any) -> bytes:
    """Writes a damaged value as JSON, whose text is now and then damaged as well."""
    text = as_json(damaged_value(rng, value), rng)
    return damaged_bytes(rng, text) if rng.random() < 0.08 else text


def as_json(value: Any, rng: Random) -> bytes:
    """Writes JSON with the literals that stand-ins mean, and keys that come twice."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.8)
    text = _STANDS_FOR.sub(lambda found: LITERALS[found[1]], text)
    if rng.random() < 0.02:
        text = text.replace('{', '{"id": 1, "image": 1, "categories": 2, ', 1)
    return text.encode('utf-8', 'surrogatepass')


def damaged_bytes(rng: Random, content: bytes) -> bytes:
    """Changes bytes in one to three places."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(_ON_BYTES)(rng, changed)
    return bytes(changed)


def _changed(rng: Random, value: Any) -> Any:
    """Returns a value with one place changed; what is unchanged is shared."""
    inside = isinstance(value, dict | list) and len(value) > 0
    if not inside or rng.random() < 0.04:
        return _other(rng, value)
    if rng.random() < 0.12:
        return _restructured(rng, value)
    if isinstance(value, dict):
        key = rng.choice([*value])
        return {**value, key: _changed(rng, value[key])}
    position = rng.randrange(len(value))
    return [*value[:position], _changed(rng, value[position]), *value[position + 1 :]]


def _other(rng: Random, value: Any) -> Any:
    kind = rng.random()
    if kind < 0.1:
        return [value]
    if kind < 0.2 and isinstance(value, int | float):
        return rng.choice((-value, value * 1000, value + 1, str(value)))
    if kind < 0.25 and isinstance(value, str):
        return rng.choice((value.upper(), value + '\0', value * 2, value[:-1]))
    return strange_value(rng)


def _restructured(rng: Random, value: dict | list) -> dict | list:
    if isinstance(value, dict):
        keys = [*value]
        key, other = rng.choice(keys), rng.choice(keys)
        kind = rng.randrange(4)
        if kind == 0:
            return {k: v for k, v in value.items() if k != key}
        if kind == 1:
            return {**value, key: value[other], other: value[key]}
        if kind == 2:
            return {**value, rng.choice(('extra', '', 'a\0b')): strange_value(rng)}
        return [*value.values()]
    position, other = rng.randrange(len(value)), rng.randrange(len(value))
    kind = rng.randrange(6)
    if kind == 0:
        return value[:position] + value[position + 1 :]
    if kind == 1:
        return value[:position]
    if kind == 2:
        return [*value, value[position]]
    if kind == 3:
        return [*value, strange_value(rng)]
    if kind == 4:
        swapped = list(value)
        swapped[position], swapped[other] = swapped[other], swapped[position]
        return swapped
    return [value[position]] * len(value)


def _flip(rng: Random, content: bytearray) -> None:
    for _ in range(min(len(content), rng.choice((1, 2, 8)))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _overwrite(rng: Random, content: bytearray) -> None:
    start = rng.randrange(len(content) + 1)
    filler = rng.choice((b'\0', b'\xff', b'\x7f', rng.randbytes(1)))
    end = min(len(content), start + rng.choice((1, 2, 4, 8, 64)))
    content[start:end] = filler * (end - start)


def _truncate(rng: Random, content: bytearray) -> None:
    del content[rng.randrange(len(content) + 1) :]


def _insert(rng: Random, content: bytearray) -> None:
    start = rng.randrange(len(content) + 1)
    content[start:start] = rng.randbytes(rng.choice((1, 3, 4, 16)))


def _repeat(rng: Random, content: bytearray) -> None:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    content[end:end] = content[start:end][:4096]


def _remove(rng: Random, content: bytearray) -> None:
    start = rng.randrange(len(content) + 1)
    del content[start : start + rng.choice((1, 2, 4, 100))]


_ON_BYTES: tuple[Callable[[Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _truncate,
    _insert,
    _repeat,
    _remove,
)
