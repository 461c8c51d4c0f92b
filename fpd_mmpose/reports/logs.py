"""Reads the scores that MMEngine logs."""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import is_count
from fpd_mmpose.readers.text import parse_json, read_lines

_EXPECTED = 'vis_data/scalars.json or the metrics of tools/test.py --out'


@dataclass(frozen=True)
class Log:
    """The scores of a run."""

    path: Path  # the file or the work directory
    metrics: dict[str, float] | None  # by name for a test, None for a training run
    # The metrics of a training run, by epoch, or by step in a run of iterations.
    validations: dict[int, dict[str, float]]
    last_epoch: int = 0  # the last trained epoch
    processes: int | None = None  # processes that shared each step, if known
    config: Path | None = None  # the config that the run started with


def read_log(path: str | Path) -> Log:
    """Reads the log of a training run, or the metrics that ``tools/test.py`` writes.

    ``path`` is ``vis_data/scalars.json``, a work directory, or a JSON file of metrics.
    A work directory of a resumed run has several time-stamped folders: a later folder
    replaces the earlier ones from its first epoch on.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob('*/vis_data/scalars.json'))
        if not files:
            raise UserError(
                f'"{path}" has no log: expected <time>/vis_data/scalars.json'
            )
    else:
        files = [path]
    parts = [(file, read_records(file)) for file in files]
    (_, (first, *others)), *_ = parts
    if len(parts) == 1 and not others and 'step' not in first:
        return Log(path, metrics=numbers_of(first), validations={})
    return _merge(path, parts)


def read_records(path: Path) -> list[dict]:
    """Reads the lines of a log, of which the last may be truncated."""
    try:
        lines = read_lines(path, _EXPECTED)
    except UserError as error:
        raise UserError(f'log {error}') from error
    try:
        content = parse_json('\n'.join(lines))
    except ValueError:
        pass  # one object per line
    else:
        return [_object(content, path)]
    records: list[dict] = []
    last = max((number for number, line in enumerate(lines, 1) if line), default=0)
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            content = parse_json(line)
        except ValueError as error:
            if number < last or not records:
                reason = getattr(error, 'msg', error)
                raise UserError(
                    f'log "{path}", line {number}: not JSON ({reason}); expected '
                    f'{_EXPECTED}'
                ) from error
            print_log(
                f'"{path}": ignored the last line, which is truncated',
                logger='current',
                level=logging.WARNING,
            )
        else:
            records.append(_object(content, path))
    if not records:
        raise UserError(f'log "{path}" is empty')
    return records


def _object(content: Any, path: Path) -> dict:
    if not isinstance(content, dict):
        raise UserError(f'log "{path}": expected JSON objects')
    for field in ('epoch', 'step'):
        if not is_count(content.get(field, 0)):
            raise UserError(
                f'log "{path}": a line has {field} {content[field]!r}, which is not a '
                'whole number: is it a log of MMEngine?'
            )
    return content


def is_training(record: dict) -> bool:
    """Tells a record of training steps from one of a validation."""
    return not record.keys().isdisjoint(('epoch', 'iter'))


def numbers_of(record: dict) -> dict[str, float]:
    """Returns the metrics of a logged record."""
    return {
        name: _float(value)
        for name, value in record.items()
        if name not in ('step', 'time', 'data_time')
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _merge(path: Path, parts: Sequence[tuple[Path, list[dict]]]) -> Log:
    validations: dict[int, dict[str, float]] = {}
    files: dict[Path, int] = {}
    last = 0
    for file, records in parts:
        trained = [record['epoch'] for record in records if 'epoch' in record]
        if trained:
            # Resumed from an earlier epoch than was reached, or restarted.
            first = min(trained)
            validations = {e: v for e, v in validations.items() if e < first}
            files = {f: begin for f, begin in files.items() if begin < first}
            files[file] = first
            last = max(trained)
        for record in records:
            if not is_training(record) and record.get('step'):
                validations[record['step']] = numbers_of(record)
    beginning = next(iter(files), parts[0][0])
    config = beginning.with_name('config.py')
    return Log(
        path,
        metrics=None,
        validations=validations,
        last_epoch=max([last, *validations]),
        processes=_processes(parts[-1][0].parent.parent),
        config=config if config.is_file() else None,
    )


def _processes(folder: Path) -> int | None:
    """Reads the number of processes from the head of ``<time>/<time>.log``."""
    for file in folder.glob(f'{folder.name}.log'):
        text = file.read_text(encoding='utf-8', errors='replace')
        if found := re.search(r'^[ \t]*GPU number: (\d{1,9})$', text, re.M):
            return int(found[1])
    return None
