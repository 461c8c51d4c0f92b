"""Changes how long a config trains, and its learning rate schedule with it."""

from mmengine.config import Config

from fpd_mmpose.errors import UserError

#: The fields of a schedule that count epochs or steps.
_COUNTS = (
    'begin', 'end', 'T_max', 'milestones', 'periods', 'step_size', 'total_steps',
)  # fmt: skip


def set_epochs(config: Config, epochs: int) -> None:
    """Changes the number of epochs, and scales the schedules that count in them."""
    if epochs < 1:
        raise UserError(f'epochs must be 1 or more, got {epochs}')
    if not (config.get('train_cfg') or {}).get('max_epochs'):
        raise UserError(
            'epochs: the config counts in iterations; set train_cfg.max_iters instead'
        )
    _set_length(config, 'max_epochs', epochs)


def scale_length(config: Config, factor: float) -> None:
    """Multiplies the epochs or steps of a config, at least one, and its schedules."""
    train_cfg = config.get('train_cfg') or {}
    for name in ('max_epochs', 'max_iters'):
        if before := train_cfg.get(name):
            _set_length(config, name, max(1, round(before * factor)))
            return
    raise UserError('the config trains for neither max_epochs nor max_iters')


def _set_length(config: Config, name: str, length: int) -> None:
    before = config.train_cfg[name]
    config.train_cfg[name] = length

    def scaled(count: int) -> int:
        return max(1, round(count * length / before)) if count else count

    schedulers = config.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        # In a run of epochs, a warm-up counted in steps stays as it is.
        if scheduler.get('by_epoch', True) != (name == 'max_epochs'):
            continue
        for field in _COUNTS:
            value = scheduler.get(field)
            if isinstance(value, list | tuple):
                scheduler[field] = [scaled(count) for count in value]
            elif isinstance(value, int):
                scheduler[field] = scaled(value)
