"""Reads the scores that MMEngine logs."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.logging import print_log


@dataclass(frozen=True)
class Log:
    """The scores of a run.

    Attributes:
        path (Path): The file, or the work directory.
        metrics (dict, optional): Those of a test, by name; ``None`` for the log of a
            training run.
        validations (dict): The metrics of a training run, by epoch.
        last_epoch (int): The last one that was trained; 0 for a test.
        processes (int, optional): How many shared each step, where the log says it.
        config (Path, optional): The config with which the run started.
    """

    path: Path
    metrics: dict[str, float] | None
    validations: dict[int, dict[str, float]]
    last_epoch: int = 0
    processes: int | None = None
    config: Path | None = None


def read_log(path: str | Path) -> Log:
    """Reads the log of a training run, or the metrics of a test.

    Of a resumed run, whose work directory has several time-stamped folders, a later
    folder replaces what earlier ones logged from its first epoch on.

    Args:
        path (str | Path): ``vis_data/scalars.json``; a work directory; or the JSON
            file of metrics that ``tools/test.py`` writes.

    Returns:
        Log: What it says.

    Raises:
        ValueError: If there is no such file, or it is no log. One line.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob('*/vis_data/scalars.json'))
        if not files:
            raise ValueError(f'"{path}" has no <time>/vis_data/scalars.json: no log')
    else:
        files = [path]
    parts = [(file, _read(file)) for file in files]
    if len(parts) == 1 and _is_metrics(parts[0][1]):
        return Log(path, metrics=_numbers(parts[0][1][0]), validations={})
    return _merge(path, parts)


def _read(path: Path) -> list[dict]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'not text'
        raise ValueError(f'log "{path}" cannot be read: {reason}') from error
    try:
        return [_object(json.loads(text), path)]
    except json.JSONDecodeError:
        pass  # one object a line
    lines = [line for line in text.splitlines() if line.strip()]
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(_object(json.loads(line), path))
        except json.JSONDecodeError as error:
            if number < len(lines) or not records:
                raise ValueError(
                    f'log "{path}", line {number}: not JSON ({error.msg}); expected '
                    'vis_data/scalars.json, or the metrics of tools/test.py --out'
                ) from error
            print_log(
                f'"{path}": the last line is cut off and left out',
                logger='current',
                level=logging.WARNING,
            )
    if not records:
        raise ValueError(f'log "{path}" is empty')
    return records


def _object(content: Any, path: Path) -> dict:
    if not isinstance(content, dict):
        raise ValueError(f'log "{path}": expected JSON objects')
    return content


def _is_metrics(records: Sequence[dict]) -> bool:
    return len(records) == 1 and 'step' not in records[0]


def _numbers(record: dict) -> dict[str, float]:
    """The metrics among what is logged."""
    return {
        name: float(value)
        for name, value in record.items()
        if name not in ('step', 'time', 'data_time')
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }


def _merge(path: Path, parts: Sequence[tuple[Path, list[dict]]]) -> Log:
    validations: dict[int, dict[str, float]] = {}
    last, files = 0, {}
    for file, records in parts:
        trained = [record['epoch'] for record in records if 'epoch' in record]
        if trained:
            # Run on from an earlier epoch than was reached, or started anew.
            first = min(trained)
            validations = {e: v for e, v in validations.items() if e < first}
            files = {f: begin for f, begin in files.items() if begin < first}
            files[file] = first
            last = max(trained)
        for record in records:
            if 'epoch' not in record and record.get('step'):
                validations[record['step']] = _numbers(record)
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
    """The number that MMEngine writes at the head of ``<time>/<time>.log``."""
    for file in folder.glob(f'{folder.name}.log'):
        text = file.read_text(errors='replace')
        if found := re.search(r'^\s*GPU number: (\d+)$', text, re.M):
            return int(found[1])
    return None
