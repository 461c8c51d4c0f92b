"""What a checkpoint says of a run's other files, as far as it can be true."""

import logging
from collections.abc import Iterable

from mmengine.runner.checkpoint import CheckpointLoader

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import is_finite_number
from fpd_mmpose.runs.checkpoint_folder import CheckpointFolder, base_name


def drop_bad_scores(info: dict, names: Iterable[str], logger: logging.Logger) -> None:
    """Drops best scores that are not finite numbers."""
    for name in names:
        if name in info and not is_finite_number(info[name]):
            logger.warning(f'{name} of the checkpoint is not a finite number')
            del info[name]


def limit_kept_steps(info: dict, now: int, limit: int) -> list[int]:
    """Keeps the last ``limit`` of the recorded steps; returns those that must go.

    ``limit`` is not positive if all are kept. Steps that cannot be the run's are
    dropped.
    """
    recorded = info.get('keep_ckpt_ids')
    steps = sorted(
        {step for step in recorded if type(step) is int and 0 < step <= now}
        if isinstance(recorded, list)
        else ()
    )
    surplus = len(steps) - limit if limit > 0 else 0
    info['keep_ckpt_ids'] = steps[max(surplus, 0) :]
    return steps[: max(surplus, 0)]


def take_outdated(
    info: dict, folder: CheckpointFolder, metrics: Iterable[str]
) -> list[str]:
    """Takes the names of checkpoints that a killed run was about to remove."""
    recorded = info.pop('outdated_ckpts', None)
    oldest_kept = min(info['keep_ckpt_ids'], default=0)
    metrics = list(metrics)
    names = [base_name(name) for name in recorded] if isinstance(recorded, list) else []
    return [
        name
        for name in names
        if name
        and (
            0 < (folder.step_of(name) or 0) < oldest_kept
            or any(folder.is_best(metric, name) for metric in metrics)
        )
    ]


def score_in(path: str, name: str) -> float | None:
    """Reads the score that a best checkpoint holds; None if it is not usable."""
    try:
        saved = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        score = saved['message_hub']['runtime_info'][name]
    except (UserError, OSError, KeyError, TypeError):
        return None
    return score if is_finite_number(score) else None
