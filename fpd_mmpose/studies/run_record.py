"""What a finished run leaves in its folder, beside the weights."""

from pathlib import Path
from typing import Any

import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import is_count
from fpd_mmpose.readers.annotations import as_numbers, read_mat
from fpd_mmpose.readers.text import read_json

RECORD = 'run.json'
PREDICTIONS = 'predictions.mat'


def read_record(folder: Path) -> dict[str, Any]:
    """Returns the record of a run, which is empty if the run has not finished."""
    path = folder / RECORD
    if not path.is_file():
        return {}
    record = read_json(path, 'the record of a run')
    if wrong := _wrong_field(record):
        raise UserError(
            f'"{path}" has no valid `{wrong}`: remove it to do the run again'
        )
    return record


def _wrong_field(record: Any) -> str | None:
    """Names the first field that is missing or of another type."""
    if not isinstance(record, dict):
        return 'fingerprint'
    seconds, epochs = record.get('seconds', ''), record.get('epochs', '')
    scores = record.get('scores')
    # Of people; a run that is scored in another way has neither.
    counts = [record[name] for name in ('right', 'annotated') if name in record]
    checks = {
        'fingerprint': isinstance(record.get('fingerprint'), str),
        'epochs': epochs is None or is_count(epochs),
        'steps': is_count(record.get('steps')),
        'samples': is_count(record.get('samples')),
        'seconds': seconds is None
        or isinstance(seconds, dict)
        and as_numbers([seconds.get(k) for k in ('storing', 'training')], (2,))
        is not None,
        # Those of a run that diverged may be NaN.
        'scores': isinstance(scores, dict)
        and as_numbers([*scores.values()], (len(scores),), finite=False) is not None,
        'right': len(counts) != 1
        and all(isinstance(each, list) for each in counts)
        and len({len(each) for each in counts}) <= 1
        and all(is_count(number) for each in counts for number in each),
    }
    return next((name for name, valid in checks.items() if not valid), None)


def read_predictions(folder: Path, people: int) -> np.ndarray:
    """Returns the keypoints that a run predicted, (people, 16, 2), 0-based pixels."""
    path = folder / PREDICTIONS
    found = read_mat(path, 'the keypoints that a run predicted', ['preds'])['preds']
    keypoints = as_numbers(found.tolist(), (people, 16, 2))
    if keypoints is None:
        raise UserError(
            f'"{path}" does not have 16 keypoints of {people} people: remove '
            f'"{folder / RECORD}" to do the run again'
        )
    return keypoints - 1.0
