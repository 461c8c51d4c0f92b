"""What a target is, and the common kinds of readers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from fuzzing.mutations import damaged_bytes, damaged_json


class Subject(NamedTuple):
    """A reader, and the files to try on it."""

    #: What is damaged.
    path: Path
    #: Contents that must be accepted.
    valid: Sequence[bytes]
    #: Makes a damaged content.
    damage: Callable[[Random], bytes]
    #: Reads the path as the product does; what it returns must be finite.
    read: Callable[[], Any]
    #: What errors must name, if it is not the file's name.
    named: str = ''


class Target(NamedTuple):
    """A reader by name, which is prepared in an empty folder."""

    prepare: Callable[[Path], Subject]
    #: The time of a case, in that of the fastest targets.
    cost: int = 1


def bytes_subject(path: Path, valid: list[bytes], read: Callable[[], Any]) -> Subject:
    """A reader of files whose bytes are damaged."""
    return Subject(path, valid, lambda rng: damaged_bytes(rng, rng.choice(valid)), read)


def json_subject(
    path: Path, examples: list[Any], read: Callable[[], Any], share: float = 0.0
) -> Subject:
    """A reader of JSON; ``share`` of the cases damages bytes alone."""
    valid = [json.dumps(example).encode() for example in examples]

    def damage(rng: Random) -> bytes:
        if rng.random() < share:
            return damaged_bytes(rng, rng.choice(valid))
        return damaged_json(rng, rng.choice(examples))

    return Subject(path, valid, damage, read)


def lines_subject(path: Path, examples: list, read: Any) -> Subject:
    """A reader of a JSON value per line."""

    def written(lines: list) -> bytes:
        return b''.join(json.dumps(line).encode() + b'\n' for line in lines)

    def damage(rng: Random) -> bytes:
        lines = rng.choice(examples)
        if rng.random() < 0.2:
            return damaged_bytes(rng, written(lines))
        chosen = rng.randrange(len(lines))
        parts = [json.dumps(line).encode() for line in lines]
        parts[chosen] = damaged_json(rng, lines[chosen])
        if rng.random() < 0.1:
            del parts[rng.randrange(len(parts))]
        return b'\n'.join(parts) + rng.choice((b'\n', b''))

    return Subject(path, [written(lines) for lines in examples], damage, read)
