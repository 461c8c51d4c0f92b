"""Trains and scores one run of a study, in a process of its own."""

import io
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from fpd_mmpose.config import metrics_of
from fpd_mmpose.evaluation.mpii_pckh import EXCLUDED, head_distances
from fpd_mmpose.files import replace_when_done, write_json
from fpd_mmpose.studies.run_record import PREDICTIONS, RECORD, read_predictions
from fpd_mmpose.studies.study_plan import WEIGHTS
from fpd_mmpose.teachers.cache.command import cache_teacher

#: What all processes count together.
COUNTS = ('processes', 'started', 'steps_of_started', 'steps')
_counts: Any = None


@dataclass(frozen=True)
class ArmRun:
    """A run to do: its config, and what the result is filed under."""

    config: dict[str, Any]
    fingerprint: str
    trains: bool
    stored: bool | Mapping[str, Any]


class _CountSteps(Hook):
    """Reports the steps of a run to the process that waits for it."""

    def before_train(self, runner: Runner) -> None:
        _report(started=1, steps_of_started=runner.max_iters, steps=runner.iter)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        _report(steps=1)


def start_process(counts: Any, threads: int) -> None:
    """Prepares a process that does runs: its threads, its GPU, and its counters."""
    global _counts
    _counts = counts
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # Another process must not count itself in between.
    with counts.get_lock():
        _report(processes=1)
        number = counts[COUNTS.index('processes')]
    if gpus := torch.cuda.device_count():
        os.environ['CUDA_VISIBLE_DEVICES'] = str(number % gpus)


def _end_with(parent: int) -> None:
    """Ends this process once its parent is gone, however that ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _report(**counts: int) -> None:
    with _counts.get_lock():
        for name, count in counts.items():
            _counts[COUNTS.index(name)] += count


def do_run(run: ArmRun) -> None:
    """Trains a network unless it is only scored, tests it, and files the result.

    An interrupted training is resumed.
    """
    init_default_scope('mmpose')
    config = Config(run.config)
    folder = Path(config.work_dir)
    for metric in metrics_of(config, 'test'):
        if metric['type'] == 'MpiiPCKh':
            metric['pred_file'] = str(folder / PREDICTIONS)
    seconds = {'storing': 0.0, 'training': 0.0}
    if run.trains and run.stored:
        started = _clock()
        options = dict(run.stored) if isinstance(run.stored, Mapping) else {}
        cache_teacher(config.copy(), **{'batch_size': 32, **options})
        seconds['storing'] = _clock() - started
    resumed = run.trains and (folder / 'last_checkpoint').is_file()
    if resumed:
        config.resume, config.load_from = True, None
    runner = _quiet_runner(config)
    if run.trains:
        runner.register_hook(_CountSteps(), 'VERY_LOW')
        started = _clock()
        runner.train()
        seconds['training'] = _clock() - started
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):
                # Runner.test begins other averages, with the weights of the model.
                runner.model.load_state_dict(hook.ema_model.module.state_dict())
    elif not config.load_from:
        runner.model.init_weights()
    scores = runner.test()
    state = {key: value.cpu() for key, value in runner.model.state_dict().items()}
    meta = dict(dataset_meta=runner.test_dataloader.dataset.metainfo)
    with replace_when_done(folder / WEIGHTS) as partial:
        torch.save(dict(meta=meta, state_dict=state), partial)
    record: dict[str, Any] = dict(
        fingerprint=run.fingerprint,
        epochs=(config.get('train_cfg') or {}).get('max_epochs') if run.trains else 0,
        steps=runner.iter,
        samples=runner.iter * config.train_dataloader.batch_size,
        # The time of a resumed run is that of its last part.
        seconds=None if resumed else seconds,
        scores={name: float(value) for name, value in scores.items()},
    )
    if (folder / PREDICTIONS).is_file():
        people = runner.test_dataloader.dataset
        hits, annotated = hits_of(people, read_predictions(folder, len(people)))
        counted = [k for k in range(hits.shape[1]) if k not in EXCLUDED]
        record['right'] = hits[:, counted].sum(1).tolist()
        record['annotated'] = annotated[:, counted].sum(1).tolist()
    write_json(folder / RECORD, record)


def hits_of(people: Any, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tells which joints are right at PCKh@0.5 and which are annotated, each (N, K)."""
    truth = [people.get_data_info(index) for index in range(len(keypoints))]
    target = np.stack([info['keypoints'][0] for info in truth])
    annotated = np.stack([info['keypoints_visible'][0] > 0 for info in truth])
    head_size = np.array([np.asarray(info['head_size']).item() for info in truth])
    distance = head_distances(keypoints, target, head_size)
    return (distance <= 0.5) & annotated, annotated


def _quiet_runner(config: Config) -> Runner:
    """Makes a runner that logs to its file, and prints errors alone."""
    config.log_level = 'INFO'
    nowhere = io.StringIO()
    with redirect_stdout(nowhere):
        runner = Runner.from_cfg(config)
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            if getattr(handler, 'stream', None) is nowhere:
                handler.setStream(sys.stdout)
                handler.setLevel(logging.ERROR)
    return runner


def _clock() -> float:
    """Seconds: of this process's CPU, which others do not slow; wall time on a GPU."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()
