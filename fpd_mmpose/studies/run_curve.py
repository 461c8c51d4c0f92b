"""The course of a run, from its logs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import as_numbers
from fpd_mmpose.readers.text import read_json_lines
from fpd_mmpose.studies.charts import Curve


class RunCurve(NamedTuple):
    """Losses and validation scores after numbers of samples, and the samples of all."""

    losses: list[tuple[float, float]]
    scores: list[tuple[float, float]]
    samples: int


def read_curve(folder: Path, record: Mapping[str, Any], metric: str) -> RunCurve:
    """Reads the logs of a finished run."""
    lines = []
    for log in sorted(folder.glob('*/vis_data/scalars.json')):
        found = read_json_lines(log, 'the log of a run')
        for line in found:
            _check(line, log, ('loss_kpt', 'pose', metric))
        lines += found
    samples = record['samples']
    by_step = samples / max(record['steps'], 1)
    losses, scores = [], []
    seen = 0.0
    for line in lines:
        if 'loss_kpt' in line:
            seen = line['step'] * by_step
            # A distilled run logs its unscaled pose term as `pose`.
            losses.append((seen, line.get('pose', line['loss_kpt'])))
        elif metric in line:
            # Runs of epochs log the epoch, and runs of steps log nothing.
            epochs = record['epochs']
            after = line['step'] / epochs * samples if epochs else seen
            scores.append((after, line[metric]))
    return RunCurve(losses, scores, samples)


def join_curves(label: str, color: str, parts: Sequence[RunCurve]) -> Curve:
    """Joins the curves of runs of which each continued the one before."""
    before = 0
    series: tuple[list, list] = [], []
    for part in parts:
        for found, values in zip(series, part[:2], strict=True):
            found += [(before + samples, value) for samples, value in values]
        before += part.samples
    losses, scores = (
        ([x for x, _ in found], [y for _, y in found]) for found in series
    )
    branch = parts[0].samples if len(parts) > 1 else None
    return Curve(label, color, losses, scores, branch)


def _check(line: Any, log: Path, fields: Sequence[str]) -> None:
    """Checks the numbers of a line that has any of the fields."""
    used = [field for field in fields if isinstance(line, dict) and field in line]
    for field in [*used, 'step'] if used else []:
        # A diverged run logs NaN, but for its steps.
        if as_numbers(line.get(field), (), finite=field == 'step') is None:
            raise UserError(f'"{log}" has a line whose `{field}` is not a number')
    if not isinstance(line, dict):
        raise UserError(f'"{log}" has a line that is not an object: is it a log?')
