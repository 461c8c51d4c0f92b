"""Does the runs of a study, several at a time."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from tqdm import tqdm

from fpd_mmpose.config import FILE_OPTIONS, SPLITS, leaf_datasets
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import sha256_of
from fpd_mmpose.progress import progress_bar
from fpd_mmpose.studies.arm_run import COUNTS, ArmRun, do_run, start_process
from fpd_mmpose.studies.run_record import read_record
from fpd_mmpose.studies.study_plan import WEIGHTS, StudyPlan, check_seeds, read_study
from fpd_mmpose.studies.study_report import StudyReport
from fpd_mmpose.version import __version__


def run_study(
    study: str | Path | StudyPlan,
    out: str | Path,
    *,
    data: str | Path | None = None,
    seeds: Sequence[int] | None = None,
    processes: int | None = None,
) -> StudyReport:
    """Trains and scores the arms of a study, and compares them.

    Finished runs are kept, and interrupted ones resumed, when a study is repeated with
    the same folder. A run is done anew if anything it depends on has changed; the old
    one is moved to ``replaced``.

    Args:
        study: A study file, or what :func:`read_study` returns.
        out: Folder of the runs and of the report.
        data: Folder of the data, in place of that of the study.
        seeds: Seeds in place of those of the study.
        processes: Runs at a time. Defaults to the number of GPUs, or of CPU cores.

    Returns:
        The report, which is also written to ``out``: ``results.md``, ``results.json``,
        ``gains.png``, and ``curves.png``.

    Raises:
        UserError: If the study or one of its runs cannot be used.

    Example:
        >>> import fpd_mmpose
        >>> report = fpd_mmpose.run_study(  # doctest: +SKIP
        ...     'quickstart/study.py', 'work_dirs/study', data='data/drawn'
        ... )
        >>> print(report.markdown())  # doctest: +SKIP
    """
    plan = study if isinstance(study, StudyPlan) else read_study(study)
    if seeds is not None:
        plan = replace(plan, seeds=check_seeds(tuple(seeds)))
    if data is not None:
        plan = replace(plan, data_root=str(data))
    cores = len(os.sched_getaffinity(0))
    processes = processes or torch.cuda.device_count() or cores
    scheduler = _Scheduler(plan, Path(out))
    scheduler.run(processes, max(1, cores // processes))
    report = StudyReport(plan, Path(out), scheduler.records)
    report.save()
    return report


class _Scheduler:
    """Starts each run as soon as those it needs are there."""

    def __init__(self, plan: StudyPlan, out: Path) -> None:
        self.plan = plan
        self.out = out
        self.waiting = plan.runs()
        self.submitted = 0  # runs that train
        self.records: dict[tuple[str, int], dict[str, Any]] = {}

    def run(self, processes: int, threads: int) -> None:
        """Does what is left to do; the first error ends all."""
        context = get_context('spawn')
        counts = context.Array('q', len(COUNTS))
        pool = ProcessPoolExecutor(processes, context, start_process, (counts, threads))
        running: dict[Future, tuple[str, int]] = {}
        with progress_bar(None, 'Study', 'step') as bar, pool:
            try:
                while self.waiting or running:
                    ready = [run for run in self.waiting if self._is_ready(*run)]
                    self.waiting = [run for run in self.waiting if run not in ready]
                    for run in ready:
                        if job := self._prepare(*run):
                            running[pool.submit(do_run, job)] = run
                    done, _ = wait(running, 0.5, FIRST_COMPLETED)
                    for future in done:
                        future.result()
                        run = running.pop(future)
                        self.records[run] = self._record(*run)
                    self._show(bar, dict(zip(COUNTS, counts[:], strict=True)))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list((pool._processes or {}).values()):
                    process.terminate()
                raise

    def _show(self, bar: tqdm, counts: dict[str, int]) -> None:
        if counts['started']:
            average = counts['steps_of_started'] / counts['started']
            left = sum(self.plan.arms[name].trains for name, _ in self.waiting)
            bar.total = round(average * (self.submitted + left))
        done, total = len(self.records), len(self.plan.runs())
        bar.set_postfix_str(f'{done} of {total} runs', refresh=False)
        bar.update(counts['steps'] - bar.n)

    def _is_ready(self, name: str, seed: int) -> bool:
        return all(run in self.records for run in self.plan.needed_by(name, seed))

    def _prepare(self, name: str, seed: int) -> ArmRun | None:
        """Returns what is left to do of a run; None if nothing is."""
        arm = self.plan.arms[name]
        length = arm.length
        if arm.time_of:
            assert arm.like is not None
            length = length * self._time(arm.time_of) / self._time(arm.like)
        config = self.plan.config(name, seed, self.out, length)
        fingerprint = self._fingerprint(config, name, seed)
        folder = Path(config.work_dir)
        record = self._record(name, seed)
        if record.get('fingerprint') == fingerprint and (folder / WEIGHTS).is_file():
            self.records[name, seed] = record
            return None
        stamp = folder / 'fingerprint'
        if not stamp.is_file() or stamp.read_bytes() != fingerprint.encode():
            if folder.is_dir():
                self._set_aside(folder)
            folder.mkdir(parents=True)
            stamp.write_bytes(fingerprint.encode())
        self.submitted += arm.trains
        return ArmRun(config.to_dict(), fingerprint, arm.trains, arm.stored)

    def _set_aside(self, folder: Path) -> None:
        """Keeps a run of another config or other data: it may have taken hours."""
        kept = self.out / 'replaced'
        kept.mkdir(exist_ok=True)
        name = '_'.join(folder.relative_to(self.out).parts)
        number = sum(path.name.startswith(f'{name}.') for path in kept.iterdir())
        target = folder.rename(kept / f'{name}.{number}')
        print(f'{folder}: its config or its data has changed; moved to {target}')

    def _time(self, name: str) -> float:
        """Returns the training time of an arm with the first seed, in seconds."""
        first = self.plan.seeds[0]
        seconds = self.records[name, first]['seconds']
        if not seconds:
            folder = self.plan.folder(self.out, name, first)
            raise UserError(
                f'the training time of arm "{name}" is unknown, because its run was '
                f'interrupted: remove "{folder}" to measure it'
            )
        return seconds['training']

    def _fingerprint(self, config: Config, name: str, seed: int) -> str:
        """Hashes everything that the result of a run depends on."""
        arm = self.plan.arms[name]
        parts = [__version__, config.pretty_text, str(arm.trains), str(arm.stored)]
        parts += [
            self.records[run]['fingerprint'] for run in self.plan.needed_by(name, seed)
        ]
        if arm.checkpoint:
            parts.append(sha256_of(arm.checkpoint))
        for split in SPLITS:
            for leaf in leaf_datasets(config[f'{split}_dataloader'].dataset):
                for option in FILE_OPTIONS:
                    path = Path(leaf.get('data_root') or '', leaf.get(option) or '')
                    parts.append(sha256_of(path) if path.is_file() else '')
        return hashlib.sha256('\n'.join(parts).encode()).hexdigest()

    def _record(self, name: str, seed: int) -> dict[str, Any]:
        return read_record(self.plan.folder(self.out, name, seed))
