"""Distills a student in one call: what ``fpd distill`` runs."""

import copy
import inspect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from fpd_mmpose.checks.settings import check_settings
from fpd_mmpose.config import load_config, set_data_root, set_fields
from fpd_mmpose.errors import UserError
from fpd_mmpose.runs import CheckpointHook
from fpd_mmpose.schedules import set_epochs

#: Fields that a config need not have, beside the arguments of the Runner.
_OPTIONAL_FIELDS = {'auto_scale_lr', 'backend_args', 'custom_imports', 'preprocess_cfg'}
_runs = itertools.count(1)


@dataclass(frozen=True)
class Distilled:
    """A finished distillation.

    Attributes:
        checkpoint: The best checkpoint if the config selects one (``save_best``), else
            the last; it holds the student's weights alone. None if the config saves
            none.
        scores: The validation metrics of that checkpoint by name, such as
            ``{'PCKh/Mean': 89.0}``.
        config: The config that was trained.
    """

    checkpoint: Path | None
    scores: dict[str, float]
    config: Config


def distill(
    student: str | Path | dict | Config,
    teacher: Mapping[str, Any] | tuple[str | Path, str | Path] | None = None,
    data: str | Path | None = None,
    *,
    start_from: str | Path | None = None,
    alpha: float | None = None,
    epochs: int | None = None,
    work_dir: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Distilled:
    """Trains a student with a teacher's help, with mmengine's stock Runner.

    Args:
        student: Config of a top-down estimator: a path, the name of a packaged
            config (``'hourglass/hg4_128_mpii.py'``), an ``mmpose::...`` name, or its
            content. A config for distillation keeps the fields not given here.
        teacher: ``(config, checkpoint)``, or the fields of ``model.teacher`` as a dict
            (``dict(cache='teacher.sqlite')`` for a stored teacher). Defaults to the
            config's teacher; the config must then be one for distillation.
        data: Folder of the dataset, in place of the config's ``data_root``.
        start_from: Checkpoint of the plainly trained student; distillation gains most
            from a warm start (the paper's recipe).
        alpha: The teacher's share of the loss, in [0, 1]. Defaults to the config's, or
            to 0.5 as in the paper.
        epochs: Number of epochs; learning rate schedules are scaled to it. Defaults to
            the config's.
        work_dir: Folder for logs and checkpoints. Defaults to
            ``work_dirs/<student>_fpd``.
        options: Other config fields by dotted name, such as
            ``{'train_dataloader.batch_size': 32}``.

    Returns:
        The best checkpoint, with its scores.

    Raises:
        UserError: If the student, the teacher, the data, or an option cannot be used.

    Example:
        >>> import contextlib, tempfile
        >>> import fpd_mmpose
        >>> from fpd_mmpose.config import config_root
        >>> from fpd_mmpose.synthetic import write_dataset
        >>> folder = tempfile.mkdtemp()
        >>> with contextlib.redirect_stdout(None):
        ...     _ = write_dataset(f'{folder}/data', num_train=2, num_val=1)
        >>> (teacher,) = config_root().glob('quickstart/hg2_64_drawn-*.pth')
        >>> done = fpd_mmpose.distill(
        ...     student='quickstart/hg2_64_drawn.py',
        ...     teacher=('quickstart/hg2_64_drawn.py', teacher),
        ...     data=f'{folder}/data',
        ...     epochs=1,
        ...     work_dir=f'{folder}/run',
        ...     options={'log_level': 'ERROR', 'model.backbone.num_features': 32},
        ... )
        >>> done.checkpoint.name, 'PCKh/Mean' in done.scores
        ('epoch_1.pth', True)
    """
    config = distillation_config(student, teacher, alpha)
    if data is not None:
        set_data_root(config, data)
    if start_from is not None:
        config.load_from = str(start_from)
    if epochs is not None:
        set_epochs(config, epochs)
    name = Path(config.filename).stem if config.filename else 'student'
    config.work_dir = str(work_dir or Path('work_dirs') / f'{name}_fpd')
    # MMEngine shares logs and visualizers between runs of the same name.
    config.setdefault('experiment_name', f'{name}_fpd_{next(_runs)}')
    if config.get('visualizer'):
        config.visualizer.name = config.experiment_name
    merge_options(config, options or {})
    check_settings(config)
    init_default_scope(config.setdefault('default_scope', 'mmpose'))
    runner = Runner.from_cfg(config)
    runner.train()
    return _result(runner, config)


def distillation_config(
    student: str | Path | dict | Config,
    teacher: Mapping[str, Any] | tuple[str | Path, str | Path] | None = None,
    alpha: float | None = None,
) -> Config:
    """Adds a teacher to the config of a student; see :func:`distill`."""
    config = copy.deepcopy(load_config(student))
    model = config.model
    if model.type not in ('TopdownPoseEstimator', 'FPDDistiller'):
        raise UserError(
            f'student: its model is a "{model.type}"; only a TopdownPoseEstimator can '
            'learn from a teacher'
        )
    model.type = 'FPDDistiller'
    if teacher is not None:
        model.teacher = _teacher_fields(teacher)
    elif not model.get('teacher'):
        raise UserError(
            'teacher: the config of the student names none; give its config and '
            'checkpoint'
        )
    if alpha is not None:
        if not 0 <= alpha <= 1:
            raise UserError(f'alpha must be between 0 and 1, got {alpha}')
        model.distill_loss = dict(model.get('distill_loss') or {}, alpha=alpha)
    return config


def _teacher_fields(teacher: Any) -> dict[str, Any]:
    if isinstance(teacher, Mapping):
        return dict(teacher)
    if not isinstance(teacher, tuple | list) or len(teacher) != 2:
        raise UserError(
            'teacher must be (config, checkpoint), or a dict with the fields of '
            f'model.teacher; got {teacher!r}'
        )
    config, checkpoint = teacher
    if isinstance(config, Path):  # a config holds plain values, so that it can be saved
        config = str(config)
    return dict(config=config, checkpoint=str(checkpoint))


def merge_options(config: Config, options: Mapping[str, Any]) -> None:
    """Changes fields of a config by dotted name; its first part must be known."""
    known = {*config, *inspect.signature(Runner).parameters, *_OPTIONAL_FIELDS}
    for name in options:
        if name.partition('.')[0] not in known:
            raise UserError(f'options: the config of a run has no field "{name}"')
    set_fields(config, options)


def _result(runner: Runner, config: Config) -> Distilled:
    hub = runner.message_hub
    history = {
        name.removeprefix('val/'): buffer.data[0]
        for name, buffer in hub.log_scalars.items()
        if name.startswith('val/') and name not in ('val/time', 'val/data_time')
    }
    hook = next((h for h in runner.hooks if isinstance(h, CheckpointHook)), None)
    checkpoint = hub.get_info('last_ckpt')
    index = -1
    if hook is not None and hook.save_best:
        metric = hook.key_indicators[0]
        suffix = f'_{metric}' if len(hook.key_indicators) > 1 else ''
        if best := hub.get_info(f'best_ckpt{suffix}'):
            checkpoint = best
            score = hub.get_info(f'best_score{suffix}')
            index = next(iter(np.flatnonzero(history.get(metric) == score)), -1)
    scores = {name: float(values[index]) for name, values in history.items()}
    return Distilled(Path(checkpoint) if checkpoint else None, scores, config)
