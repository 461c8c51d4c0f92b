"""Checks the files of the model and the metrics of a config."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpose.registry import METRICS

from fpd_mmpose.checks.expected_files import explain_missing
from fpd_mmpose.checks.findings import Report, one_line
from fpd_mmpose.config import load_config, metrics_of
from fpd_mmpose.readers.annotations import in_either_layout


def check_model_files(config: Config, report: Report) -> None:
    """Checks that the weights and the teacher's config exist."""
    named = list(_checkpoints(config.model, 'model'))
    if config.get('load_from'):
        named.insert(0, ('load_from', config.load_from))
    section = report.section('model') if named else {}
    for option, path in named:
        if '://' in path:
            section[option] = f'{path}  (a URL: not downloaded)'
        elif Path(path).expanduser().is_file():
            section[option] = path
        else:
            section[option] = f'{path}  MISSING'
            report.problems.append(
                f'{option}: "{path}" does not exist (relative to {Path.cwd()}): train '
                'or download it first, or set the option to another file'
            )
    teacher = config.model.get('teacher')
    if isinstance(teacher, dict) and 'config' in teacher:
        try:
            load_config(teacher['config'])
        except Exception as error:  # of any type, because a config is code
            report.problems.append(f'model.teacher.config: {one_line(error)}')


def check_metrics(config: Config, report: Report) -> None:
    """Checks the files of the metrics, and that one computes the best score to save."""
    for split in ('val', 'test'):
        for metric in metrics_of(config, split):
            for option in ('ann_file', 'gt_file'):
                if not (name := metric.get(option)):
                    continue
                path = Path(in_either_layout(name))
                if not path.is_file():
                    report.problems.append(
                        f'{split}_evaluator: '
                        + explain_missing(option, path, str(metric.get('type')))
                    )
    _check_save_best(config, report)


def _checkpoints(settings: Any, name: str) -> Iterator[tuple[str, str]]:
    """Finds every ``checkpoint`` except those of a teacher's own config."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key == 'checkpoint' and isinstance(value, str):
                yield f'{name}.checkpoint', value
            elif key != 'config':
                yield from _checkpoints(value, f'{name}.{key}')
    elif isinstance(settings, list | tuple):
        for index, value in enumerate(settings):
            yield from _checkpoints(value, f'{name}.{index}')


def _check_save_best(config: Config, report: Report) -> None:
    hook = config.get('default_hooks', {}).get('checkpoint') or {}
    wanted = hook.get('save_best') or []
    metrics = metrics_of(config, 'val')
    if not metrics:
        return
    prefixes = set()
    for metric in metrics:
        registered = METRICS.get(metric.get('type'))
        if registered is None:
            report.problems.append(
                f'val_evaluator: there is no metric {metric.get("type")}: is its '
                'package in `custom_imports`?'
            )
            return
        prefixes.add(metric.get('prefix') or registered.default_prefix)
    for key in [wanted] if isinstance(wanted, str) else wanted:
        if '/' in key and key.split('/')[0] not in prefixes:
            report.problems.append(
                f'default_hooks.checkpoint.save_best: no validation metric computes '
                f'"{key}": their names begin with '
                f'{", ".join(sorted(f"{prefix}/" for prefix in prefixes if prefix))}'
            )
