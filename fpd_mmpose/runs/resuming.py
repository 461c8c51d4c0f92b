"""Chooses the checkpoint that a run resumes from, and checks it."""

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import HistoryBuffer, print_log
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

from fpd_mmpose.errors import UserError
from fpd_mmpose.finite import is_count, non_finite
from fpd_mmpose.runs.checkpoint_folder import CheckpointFolder, named_in
from fpd_mmpose.runs.training_state import check_optimizers, check_schedules


def choose_start(runner: Runner, folders: list[CheckpointFolder]) -> None:
    """Chooses what a run with ``resume=True`` and no named file resumes from.

    It is the file that ``last_checkpoint`` names, or the newest one if that cannot be
    read. If there are no checkpoints, the run starts as it does without ``resume``:
    from ``load_from``, if it is set.
    """
    if not runner._resume or runner._load_from is not None or runner._has_loaded:
        return
    found = _decided_by_main_process(
        lambda: _newest_readable(Path(runner.work_dir), folders)
    )
    if found:
        runner._load_from = found
        runner.logger.info(f'Resuming from the latest checkpoint: {found}')
        return
    start = _dropped_load_from(runner)
    runner._resume, runner._load_from = False, start
    # The config saved with the run must record how it started.
    runner.cfg.resume, runner.cfg.load_from = False, start
    runner.dump_config()
    runner.visualizer.add_config(runner.cfg)
    runner.logger.warning(
        f'There is no checkpoint to resume in "{runner.work_dir}": training starts '
        + (f'from load_from="{start}"' if start else 'anew, without load_from')
    )


def check_resumable(checkpoint: Any, source: str, schedules: Any = None) -> None:
    """Checks the parts of a checkpoint that :meth:`Runner.resume` relies on.

    Raises a ValueError for states of other schedules than ``schedules``.
    """
    keys = ('meta', 'message_hub', 'state_dict')
    if not isinstance(checkpoint, dict) or any(key not in checkpoint for key in keys):
        raise UserError(
            f'"{source}" holds weights alone and no training state, so it cannot be '
            'resumed: to start from these weights, set `load_from` to the file and '
            'leave out `resume`'
        )
    meta, hub = checkpoint['meta'], checkpoint['message_hub']
    averages = checkpoint.get('ema_state_dict', {})
    parts = ('log_scalars', 'runtime_info', 'resumed_keys')
    is_sound = (
        isinstance(meta, dict)
        and all(is_count(meta.get(key)) for key in ('epoch', 'iter'))
        and (meta.get('seed') is None or is_count(meta['seed']))
        and isinstance(checkpoint['state_dict'], dict)
        and isinstance(averages, dict)
        and isinstance(hub, dict)
        and all(
            isinstance(hub.get(part), dict)
            and all(isinstance(key, str) for key in hub[part])
            for part in parts
        )
    )
    if not is_sound:
        raise UserError(
            f'"{source}" cannot be resumed: its "meta", "message_hub", or weights are '
            'not what MMEngine writes'
        )
    if schedules is not None and 'param_schedulers' in checkpoint:
        check_schedules(schedules, checkpoint['param_schedulers'])
    known = non_finite(checkpoint['state_dict'])  # such as an attention mask
    bad = {str(n).removeprefix('module.') for n in non_finite(averages)} - {*known}
    if bad:
        text = f'its average of "{min(bad)}" is NaN or infinite'
        raise UserError(f'"{source}" cannot be resumed: {text}')


def clean_message_hub(hub: dict) -> None:
    """Removes from a message hub, in place, what would fail later in the run."""
    # Without a valid entry here, mmengine treats the key as a new one.
    hub['resumed_keys'] = {k: v for k, v in hub['resumed_keys'].items() if v is True}
    for name, log in list(hub['log_scalars'].items()):
        if (
            not isinstance(log, HistoryBuffer)
            or not len(log.data[0])
            or log.max_length < 1
        ):
            print_log(f'The log "{name}" of the checkpoint is dropped', 'current')
            del hub['log_scalars'][name]


def warn_if_complete(runner: Runner, folder: str) -> None:
    """Warns that a resumed run has nothing left to train.

    It is an error if the checkpoint belongs to another run than that of ``folder``:
    the user hardly wanted a new run to end at once.
    """
    source = runner._load_from
    if not runner._resume or source is None:
        return
    if runner.epoch >= runner.max_epochs:
        done, option = f'epoch {runner.epoch} of {runner.max_epochs}', 'max_epochs'
    elif runner.max_epochs == 1 and runner.iter >= runner.max_iters:
        done, option = f'iteration {runner.iter} of {runner.max_iters}', 'max_iters'
    else:
        return
    text = (
        f'"{source}" is at {done}: this run is complete, and nothing is left to train. '
        f'To train on, raise train_cfg.{option}; to start a new run from its weights, '
        'set `load_from` to the file and leave out `resume`'
    )
    parent = os.path.dirname(source)
    if os.path.realpath(parent) != os.path.realpath(folder) and parent != folder:
        raise UserError(text)
    runner.logger.warning(text)


def install() -> None:
    """Makes :meth:`Runner.resume` name the file that it fails on.

    ``runner.resuming`` is that file while it is read. Calling this again is harmless.
    """
    original = Runner.resume
    if hasattr(Runner, 'resuming'):
        return

    @functools.wraps(original)
    def resume(self: Runner, filename: str, *args: Any, **kwargs: Any) -> None:
        self.resuming = filename
        # What is in the file is compared with those that the config makes.
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        if self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        wanted = kwargs.get('resume_param_scheduler', True)
        self.resumed_schedules = self.param_schedulers if wanted else None
        try:
            original(self, filename, *args, **kwargs)
            check_optimizers(self.optim_wrapper)
        except (UserError, MemoryError, OSError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # whatever torch and MMEngine have for a bad state
            raise UserError(
                f'"{filename}" cannot be resumed: it is not a checkpoint of such a run '
                f'({type(error).__name__}: {error})'
            ) from error
        finally:
            self.resuming = None

    Runner.resuming = None
    Runner.resume = resume


def _newest_readable(work_dir: Path, folders: Sequence[CheckpointFolder]) -> str | None:
    pointer = work_dir / 'last_checkpoint'
    damaged = []
    for path in _candidates(named_in(pointer), folders):
        try:
            checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
            check_resumable(checkpoint, path)
        except (UserError, OSError) as error:
            damaged.append(path)
            print_log(
                f'{error}; looking for an older checkpoint', 'current', logging.WARNING
            )
        else:
            return path
    if damaged:
        raise UserError(
            f'none of the {len(damaged)} checkpoints in "{work_dir}" can be read, the '
            f'first being "{damaged[0]}": move them away to start anew'
        )
    if pointer.exists():
        print_log(f'"{pointer}" names no file that exists', 'current', logging.WARNING)
    return None


def _candidates(
    named: str | None, folders: Sequence[CheckpointFolder]
) -> Iterator[str]:
    """Yields paths of checkpoints: the named one, older ones, and then newer ones.

    Newer ones may be left from an earlier run in the same folder.
    """
    found: dict[str, int] = {}
    steps: set[int] = set()
    for folder in folders:
        if not folder.backend.exists(folder.path):
            continue
        if named and folder.backend.isfile(path := folder.file(named)):
            found[path] = -1
        if named and (step := folder.step_of(named)) is not None:
            steps.add(step)
        for name in folder.backend.list_dir_or_file(folder.path, list_dir=False):
            step = folder.step_of(name)
            if step is not None:
                found.setdefault(folder.file(name), step)
    last = max(steps, default=2**62)

    def order(path: str) -> tuple[bool, int]:
        step = found[path]
        return step > last, -step if step >= 0 else -(2**63)

    yield from sorted(found, key=order)


def _dropped_load_from(runner: Runner) -> str | None:
    """Finds the ``load_from`` that a command's ``--resume`` has overwritten.

    MMPose's script sets it to None before the Runner sees the config.
    """
    arguments = sys.argv[1:]
    by_command = any(
        argument.startswith('--r') and '--resume'.startswith(argument.partition('=')[0])
        for argument in arguments
    )
    if not by_command or not runner.cfg.filename:
        return None
    if any(argument.startswith('load_from=') for argument in arguments):
        return None
    return Config.fromfile(runner.cfg.filename).get('load_from')


def _decided_by_main_process(decide: Callable[[], str | None]) -> str | None:
    """Gives all processes the same file to resume from, or the same error."""
    outcome: list[str | None] = [None, None]
    if is_main_process():
        try:
            outcome[0] = decide()
        except UserError as error:
            outcome[1] = str(error)
    broadcast_object_list(outcome)
    found, message = outcome
    if message:
        raise UserError(message)
    return found
