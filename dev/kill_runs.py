#!/usr/bin/env python
"""Kills small runs at random moments, and compares them with unbroken ones.

Each run is resumed until it is complete. Its weights, optimizer, schedules, and best
score must then equal those of a run that was never stopped, bit for bit. Exit status 1
if one differs. The runs train a student with a teacher, on labeled and unlabeled drawn
people with augmentation, counted in iterations or in epochs.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KINDS = ('iterations', 'epochs')
#: Labeled people; of a batch, two have labels.
LABELS = 24
#: The latest moment to stop a run, as a part of an unbroken run's time.
PART = 0.5


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=20, help='kills of a run (20)')
    parser.add_argument(
        '--workers', type=int, nargs='+', default=[0, 2], help='data workers (0 2)'
    )
    parser.add_argument('--steps', type=int, default=48, help='steps of a run (48)')
    parser.add_argument('--seed', type=int, default=0, help='of the moments (0)')
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        differ = [
            line
            for kind in KINDS
            for workers in args.workers
            for line in compare(
                Path(folder, f'{kind}_{workers}'),
                kind,
                workers,
                args.steps,
                args.kills,
                args.seed,
            )
        ]
    print('\n'.join(differ) or 'All runs ended as unbroken ones.')
    return int(bool(differ))


def compare(
    folder: Path, kind: str, workers: int, steps: int, kills: int, seed: int = 0
) -> list[str]:
    """Compares runs that are killed with an unbroken one; returns what differs.

    Args:
        folder: A folder for all runs and their people.
        kind: What they count, one of `KINDS`.
        workers: Data workers.
        steps: Steps of a run, a multiple of 12.
        kills: Kills in all, alternately at once and by SIGTERM.
        seed: Of the moments, in seconds of the processor.
    """
    from fpd_mmpose.studies.people_split import split_people
    from fpd_mmpose.synthetic import write_dataset

    write_dataset(folder / 'data', num_train=48, num_val=16, seed=0)
    split_people(folder / 'data', LABELS, seed=0)
    name = f'{kind}, {workers} workers'
    settings = kind, workers, steps
    if status := wait(train(folder, 'whole', *settings)):
        return [f'{name}: the unbroken run ended with {status}']
    whole = state(folder / 'whole')
    seconds = float((folder / 'whole.seconds').read_text(encoding='utf-8'))
    moments = random.Random(seed)
    ends = {at_once: 0 for at_once in (True, False)}
    runs = 0
    while kills > sum(ends.values()) or not runs:
        runs += 1
        shutil.rmtree(folder / 'killed', ignore_errors=True)
        while True:
            at_once = ends[True] <= ends[False]
            moment = moments.uniform(0, PART * seconds)
            if kills <= sum(ends.values()):
                moment = 0.0
            child = train(folder, 'killed', *settings, moment, at_once)
            end = wait(child)
            if kill_workers(child) and end >= 0:
                return [f'{name}: data workers outlived a run']
            if end == 0:
                break
            # Before it trains, SIGTERM ends a run as it ends any program.
            stops = (128 + signal.SIGTERM, -signal.SIGTERM)
            if end not in ((-signal.SIGPROF,) if at_once else stops):
                return [f'{name}: a run ended with {end}']
            ends[at_once] += 1
        other = state(folder / 'killed')
        if differ := [key for key in whole if not same(whole[key], other[key])]:
            return [f'{name}: {", ".join(differ)} of run {runs}']
    print(
        f'{name}: {ends[True]} killed, {ends[False]} stopped, {runs} runs', flush=True
    )
    return []


def train(
    folder: Path,
    name: str,
    kind: str,
    workers: int,
    steps: int,
    moment: float = 0.0,
    at_once: bool = True,
) -> int:
    """Trains in a fork, resuming what is there; returns its process ID.

    It ends after ``moment`` seconds of the processor, if that is not 0.
    """
    if child := os.fork():
        return child
    code = 1
    try:
        os.setpgrp()
        log = os.open(folder / f'{name}.log', os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from mmengine.runner import Runner

        runner = Runner.from_cfg(config(folder, name, kind, workers, steps))
        # Without a handler, this signal ends the process as SIGKILL does.
        if not at_once:
            signal.signal(
                signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGTERM)
            )
        signal.setitimer(signal.ITIMER_PROF, moment)
        runner.train()
        signal.setitimer(signal.ITIMER_PROF, 0)
        (folder / f'{name}.seconds').write_text(str(time.process_time()), 'utf-8')
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        util._exit_function()  # ends the data workers, as the end of a program does
        os._exit(code)


def kill_workers(child: int) -> bool:
    """Kills what is left of a process's group; returns whether there was anything."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wait(child: int) -> int:
    """Waits for a process; returns its exit status, or minus the signal's number."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def config(folder: Path, name: str, kind: str, workers: int, steps: int) -> Any:
    """Makes the config of a run that validates three times and saves six times."""
    from fpd_mmpose.config import load_config

    made = load_config(ROOT / 'configs/quickstart/hg1_32_fpd_unlabeled_drawn.py')
    for part in made.train_dataloader.dataset.datasets:
        part.update(data_root=str(folder / 'data'))
    made.train_dataloader.update(
        num_workers=workers, persistent_workers=bool(workers), batch_size=8
    )
    loaders = made.val_dataloader, made.test_dataloader
    for loader in loaders:
        loader.dataset.update(data_root=str(folder / 'data'), indices=None)
    made.train_cfg = dict(by_epoch=False, max_iters=steps, val_interval=steps // 3)
    by_epoch = kind == 'epochs'
    if by_epoch:
        epochs = steps // (LABELS // 2)
        made.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=2)
        made.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    made.param_scheduler[0].total_steps = steps
    made.default_hooks.checkpoint = dict(
        type='CheckpointHook',
        interval=1 if by_epoch else steps // 6,
        by_epoch=by_epoch,
        max_keep_ckpts=2,
        save_best='PCKh/Mean',
        rule='greater',
    )
    made.custom_hooks = [dict(type='EMAHook', momentum=0.1)]
    made.work_dir, made.resume = str(folder / name), True
    made.randomness = dict(seed=0)
    made.experiment_name = made.visualizer.name = f'{folder.name}_{name}'
    return made


def state(folder: Path) -> dict[str, Any]:
    """Reads what must be equal."""
    import torch

    last = torch.load((folder / 'last_checkpoint').read_text(encoding='utf-8'))
    parts = 'state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'
    info = last['message_hub']['runtime_info']
    found = {part: last[part] for part in parts}
    return found | dict(
        files=sorted(path.name for path in folder.glob('*.pth')),
        best=info['best_score'],
        progress=[last['meta'][key] for key in ('epoch', 'iter')],
    )


def same(first: Any, second: Any) -> bool:
    """Compares nested values bit for bit."""
    import torch

    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            same(value, second[key]) for key, value in first.items()
        )
    if isinstance(first, Sequence) and not isinstance(first, str):
        return len(first) == len(second) and all(map(same, first, second))
    return type(first) is type(second) and first == second


if __name__ == '__main__':
    sys.path.insert(0, str(ROOT))
    import torch

    import fpd_mmpose  # noqa: F401

    # A fork of a process whose PyTorch has used several threads waits for them forever.
    torch.set_num_threads(1)
    sys.exit(main())
