"""Checks that a validation metric computes the score by which the best is saved."""

from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.config import Config
from mmpose.registry import METRICS

from fpd_mmpose.config import metrics_of
from fpd_mmpose.errors import UserError
from fpd_mmpose.evaluation.fpd_coco_metric import COCO_SCORES
from fpd_mmpose.evaluation.mpii_pckh import SCORES

#: The scores of metrics, as far as they do not depend on settings.
_SCORES: dict[str, Sequence[str]] = {
    'MpiiPCKh': (*SCORES, 'PCKh@0.1', 'AUC'),
    'CocoMetric': COCO_SCORES,
}


def check_best_score(config: Config) -> None:
    """Raises an error for a ``save_best`` that no validation metric computes."""
    hook = config.get('default_hooks', {}).get('checkpoint') or {}
    wanted = hook.get('save_best') if isinstance(hook, dict) else None
    metrics = metrics_of(config, 'val')
    # Instances, which Python code may pass, are left to the run.
    if not wanted or not metrics or not all(isinstance(m, dict) for m in metrics):
        return
    known = [_names(metric) for metric in metrics]
    for key in [wanted] if isinstance(wanted, str) else wanted:
        if key != 'auto' and not any(_has(key, *each) for each in known):
            raise UserError(
                f'default_hooks.checkpoint.save_best: no validation metric computes '
                f'"{key}": {_listed(known)}'
            )


def _names(metric: dict[str, Any]) -> tuple[str, Sequence[str]]:
    """Returns the prefix of a metric, and its scores if they are known."""
    registered = METRICS.get(metric.get('type'))
    if registered is None:
        raise UserError(
            f'val_evaluator: there is no metric {metric.get("type")}: is its package '
            'in `custom_imports`?'
        )
    prefix = metric.get('prefix') or getattr(registered, 'default_prefix', None)
    scores: Sequence[str] = ()
    if metric.get('iou_type', 'keypoints') == 'keypoints':
        names = [base.__name__ for base in registered.__mro__]
        scores = next((_SCORES[name] for name in names if name in _SCORES), ())
    return f'{prefix}/' if prefix else '', scores


def _has(key: str, prefix: str, scores: Sequence[str]) -> bool:
    name = key.removeprefix(prefix)
    if not key.startswith(prefix) or (not prefix and '/' in key):
        return False
    return not scores or name in scores


def _listed(known: Iterable[tuple[str, Sequence[str]]]) -> str:
    parts = []
    for prefix, scores in known:
        if scores:
            parts.append(', '.join(f'{prefix}{name}' for name in scores))
        elif prefix:
            parts.append(f'names that begin with {prefix}')
        else:
            parts.append('names without a slash')
    return f'expected one of {"; or ".join(parts)}'
