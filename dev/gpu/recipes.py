"""The recipes, with the formats and the short schedule of a GPU run."""

import json
import os
import shutil
import statistics
import time
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from benchmarks.bfloat16 import keep_accuracy_on_device
from fpd_mmpose.config import load_config
from fpd_mmpose.models.distillers import FPDDistiller

FULL = dict(
    teacher='configs/hourglass/hg8_256_mpii.py',
    plain='configs/hourglass/hg4_128_mpii.py',
    fpd='configs/fpd/hg4_128_fpd_mpii.py',
)
SMALL = dict(
    teacher='configs/quickstart/hg2_64_drawn.py',
    plain='configs/quickstart/hg1_32_drawn.py',
    fpd='configs/quickstart/hg1_32_fpd_drawn.py',
)
#: Training people in a rehearsal.
REHEARSED = 64
#: Batches that each worker prepares ahead.
PREFETCH = 2
#: Steps not timed, which choose algorithms and start workers.
WARM_UP = 8


class Recipe:
    """Makes the configs of the runs: full networks on CUDA, small ones on the CPU."""

    def __init__(
        self, data: Path, device: str, out: Path, lr: float, batch: int | None = None
    ):
        self.data = data
        self.device = device
        self.out = out
        self.lr = lr
        self.batch = batch or (96 if device == 'cuda' else 8)
        people = json.loads(
            (data / 'annotations/mpii_train.json').read_text(encoding='utf-8')
        )
        self.people = len(people) if device == 'cuda' else min(len(people), REHEARSED)
        self.steps = max(1, self.people // self.batch)
        self.configs = FULL if device == 'cuda' else SMALL
        self.workers = self._workers()

    def describe(self) -> dict:
        """Returns the settings of all runs."""
        on_gpu = self.device == 'cuda'
        return dict(
            configs=self.configs,
            device=torch.cuda.get_device_name() if on_gpu else 'cpu',
            torch=torch.__version__,
            people=self.people,
            batch=self.batch,
            lr=self.lr,
            workers=self.workers,
            precision='bf16' if on_gpu else 'fp32',
        )

    def config(self, name: str, epochs: int, folder: Path) -> Config:
        """Returns the config of ``teacher``, ``plain``, ``longer``, or ``fpd``."""
        config = load_config(self.configs.get(name, self.configs['plain']))
        weights = {one: str(self.out / f'{one}.pth') for one in ('teacher', 'plain')}
        config.load_from = weights['plain'] if name in ('fpd', 'longer') else None
        if name == 'fpd':
            config.model.teacher.update(
                config=self.configs['teacher'],
                checkpoint=weights['teacher'],
                speed='auto',
            )
        self._load_data(config)
        self._schedule(config, epochs)
        config.custom_hooks = [dict(type='FastTraining')]
        config.default_hooks.checkpoint = None
        config.work_dir = str(folder)
        config.randomness = dict(seed=0)
        config.experiment_name = config.visualizer.name = folder.name
        config.env_cfg.cudnn_benchmark = self.device == 'cuda'
        return config

    def _load_data(self, config: Config) -> None:
        config.model.data_preprocessor.non_blocking = True
        workers = self.workers
        for loader, batch, count in (
            (config.train_dataloader, self.batch, workers),
            (config.val_dataloader, 64, min(4, workers)),
            (config.test_dataloader, 64, min(4, workers)),
        ):
            loader.update(
                batch_size=batch,
                num_workers=count,
                persistent_workers=count > 0,
                pin_memory=self.device == 'cuda',
            )
            loader.dataset.data_root = str(self.data)
            if count:
                loader.prefetch_factor = PREFETCH
        if self.device == 'cpu':
            # The quick start's own students learn from few labels, in steps.
            config.train_dataloader.sampler.type = 'DefaultSampler'
            config.train_dataloader.dataset.update(
                ann_file='annotations/mpii_train.json', indices=self.people
            )
        # With batches of one size, cuDNN searches for algorithms once.
        config.train_dataloader.drop_last = True

    def _schedule(self, config: Config, epochs: int) -> None:
        config.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=1)
        config.param_scheduler = [
            dict(
                type='OneCycleLR',
                eta_max=self.lr,
                total_steps=epochs * self.steps,
                pct_start=0.2,
                by_epoch=False,
            )
        ]
        config.optim_wrapper = dict(optimizer=dict(type='Adam', lr=self.lr))
        if self.device == 'cuda':
            # bfloat16 has float32's range and needs no loss scaling.
            config.optim_wrapper.update(
                type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False)
            )

    def _workers(self) -> int:
        """Counts the workers that free cores and shared memory allow."""
        if self.device == 'cpu':
            return 0
        cores = len(os.sched_getaffinity(0)) - 3
        image, heatmaps = 3 * 256 * 256, 4 * 16 * 64 * 64
        waiting = PREFETCH * self.batch * (image + heatmaps)
        room = shutil.disk_usage('/dev/shm').free if Path('/dev/shm').exists() else 0
        return max(1, min(cores, int(0.8 * room / waiting)))


@HOOKS.register_module()
class FastTraining(Hook):
    """Trains a network in the memory format for tensor cores."""

    def before_train(self, runner: Runner) -> None:
        """Changes the weights' format, which activations follow."""
        runner.model.backbone.to(memory_format=torch.channels_last)
        if not isinstance(runner.model, FPDDistiller):
            keep_accuracy_on_device(runner.model.head)


class Stopwatch(Hook):
    """Times steps and validations."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.taken: list[float] = []
        self.validation = 0.0
        self._last: float | None = None

    def before_val(self, runner: Runner) -> None:
        """Starts timing a validation."""
        self._last = time.perf_counter()

    def after_val(self, runner: Runner) -> None:
        """Stops timing a validation."""
        self.validation = time.perf_counter() - self._last
        self._last = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Excludes the time between epochs."""
        self._last = None

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Notes the time; mmengine has read the losses, so the GPU is done."""
        now = time.perf_counter()
        if self._last is not None:
            self.taken.append(now - self._last)
        self._last = now

    def step(self) -> float:
        """Returns the mean seconds of a step, without the first ones."""
        return statistics.fmean(self.taken[WARM_UP:] or self.taken or [0.0])

    @staticmethod
    def loader_rate(loader: DataLoader, batch: int, seconds: float = 3.0) -> float:
        """Returns the people per second that an idle machine's dataloader delivers."""
        waiting = loader.num_workers * PREFETCH  # ready when timing starts
        count, start = 0, time.perf_counter()
        for count, _ in enumerate(loader, 1):  # noqa: B007
            if count == waiting:
                start = time.perf_counter()
            elif count > waiting and time.perf_counter() - start > seconds:
                break
        timed = count - waiting if count > waiting else count
        return max(1, timed) * batch / (time.perf_counter() - start)
