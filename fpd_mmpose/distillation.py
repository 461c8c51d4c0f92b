"""Distills a student in one call: what ``fpd distill`` runs."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from fpd_mmpose.config import load_config, set_data_root
from fpd_mmpose.errors import UserError

#: The fields of a schedule that count epochs.
_EPOCH_FIELDS = (
    'begin',
    'end',
    'T_max',
    'total_steps',
    'step_size',
    'periods',
    'milestones',
)


@dataclass(frozen=True)
class Distilled:
    """A finished distillation.

    Attributes:
        checkpoint: The best checkpoint where the config selects one, else the last. It
            holds the student's weights alone.
        scores: The validation metrics of the last epoch by name, such as
            ``{'PCKh/Mean': 89.0}``.
        config: What was trained.
    """

    checkpoint: Path
    scores: dict[str, float]
    config: Config


def distill(
    student: str | Path | dict | Config,
    teacher: Mapping[str, Any] | tuple[str, str],
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
        student: Config of a top-down heatmap estimator: a path, the name of a packaged
            config (``'hourglass/hg4_128_mpii.py'``), an ``mmpose::...`` name, or its
            content. A config for distillation keeps the fields not given here.
        teacher: ``(config, checkpoint)``, or the fields of ``model.teacher`` as a dict
            (``dict(cache='teacher.sqlite')`` for a stored teacher).
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
        The best checkpoint, with scores.

    Raises:
        UserError: If the student, the teacher, the data, or an option cannot be used.

    Example:
        >>> import fpd_mmpose
        >>> done = fpd_mmpose.distill(  # doctest: +SKIP
        ...     student='my_student.py',
        ...     teacher=('my_teacher.py', 'my_teacher.pth'),
        ...     data='data/mpii',
        ...     start_from='my_student.pth',
        ... )
        >>> done.checkpoint, done.scores['PCKh/Mean']  # doctest: +SKIP
    """
    config = distillation_config(student, teacher, alpha)
    if data is not None:
        set_data_root(config, data)
    if start_from is not None:
        config.load_from = str(start_from)
    if epochs is not None:
        set_epochs(config, epochs)
    if work_dir is None:
        name = Path(config.filename).stem if config.filename else 'student'
        work_dir = Path('work_dirs') / f'{name}_fpd'
    config.work_dir = str(work_dir)
    config.merge_from_dict(dict(options or {}))
    init_default_scope(config.get('default_scope') or 'mmpose')
    runner = Runner.from_cfg(config)
    runner.train()
    return _result(runner, config)


def distillation_config(
    student: str | Path | dict | Config,
    teacher: Mapping[str, Any] | tuple[str, str],
    alpha: float | None = None,
) -> Config:
    """Puts a teacher over the config of a student; see :func:`distill`."""
    config = copy.deepcopy(load_config(student))
    model = config.model
    if model.type not in ('TopdownPoseEstimator', 'FPDDistiller'):
        raise UserError(
            f'student: its model is a "{model.type}"; only a TopdownPoseEstimator can '
            'learn from a teacher'
        )
    if not isinstance(teacher, Mapping):
        try:
            teacher_config, checkpoint = teacher
        except (TypeError, ValueError):
            raise UserError(
                'teacher must be (config, checkpoint), or a dict with the fields of '
                f'model.teacher; got {teacher!r}'
            ) from None
        teacher = dict(config=teacher_config, checkpoint=str(checkpoint))
    model.type = 'FPDDistiller'
    model.teacher = dict(teacher)
    loss = model.setdefault('distill_loss', dict(type='HeatmapDistillLoss'))
    if alpha is not None:
        loss.alpha = alpha
    return config


def set_epochs(config: Config, epochs: int) -> None:
    """Changes the number of epochs, and scales the schedules that count in them."""
    if epochs < 1:
        raise UserError(f'epochs must be 1 or more, got {epochs}')
    train_cfg = config.get('train_cfg') or {}
    before = train_cfg.get('max_epochs')
    if not before:
        raise UserError(
            'epochs: the config counts in iterations; set train_cfg.max_iters instead'
        )
    train_cfg['max_epochs'] = epochs

    def scaled(count: int) -> int:
        return max(1, round(count * epochs / before)) if count else count

    schedulers = config.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        if not scheduler.get('by_epoch', True):
            continue  # a warm-up counted in steps stays as it is
        for field in _EPOCH_FIELDS:
            value = scheduler.get(field)
            if isinstance(value, list | tuple):
                scheduler[field] = [scaled(count) for count in value]
            elif isinstance(value, int):
                scheduler[field] = scaled(value)


def _result(runner: Runner, config: Config) -> Distilled:
    hub = runner.message_hub
    checkpoint = hub.get_info('best_ckpt') or hub.get_info('last_ckpt')
    scores = {
        name.removeprefix('val/'): float(buffer.current())
        for name, buffer in hub.log_scalars.items()
        if name.startswith('val/') and not name.startswith(('val/time', 'val/data'))
    }
    return Distilled(Path(checkpoint), scores, config)
