"""The recipes, with the formats and the short schedule of a GPU run."""

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
from fpd_mmpose.studies.people_split import split_people

FULL = dict(
    teacher='configs/hourglass/hg8_256_mpii.py',
    plain='configs/hourglass/hg4_128_mpii.py',
    fpd='configs/fpd/hg4_128_fpd_unlabeled_mpii.py',
)
SMALL = dict(
    teacher='configs/quickstart/hg2_64_drawn.py',
    plain='configs/quickstart/hg1_32_drawn.py',
    fpd='configs/quickstart/hg1_32_fpd_unlabeled_drawn.py',
)
#: Labeled and unlabeled people in a batch of FPD, and the factor with which each person
#: has as much weight.
RATIO, UNLABELED_WEIGHT = (1, 3), 6.0
#: Standard deviation of the targets in pixels of the heatmap: short runs learn from
#: wider targets than the recipes' 2.
SIGMA = 3
#: Batches that each worker prepares ahead.
PREFETCH = 2
#: Steps not timed, which choose algorithms and start workers.
WARM_UP = 8


class Recipe:
    """Makes the configs of the runs: full networks on CUDA, small ones on the CPU."""

    def __init__(
        self,
        data: Path,
        device: str,
        out: Path,
        lr: float,
        batch: int | None = None,
        labels: int | None = None,
    ):
        self.data = data
        self.device = device
        self.out = out
        self.lr = lr
        self.batch = batch or (96 if device == 'cuda' else 8)
        self.labels = labels or (300 if device == 'cuda' else 8)
        self.split = split_people(data, self.labels, seed=0)
        self.configs = FULL if device == 'cuda' else SMALL
        self.workers = self._workers()

    def describe(self) -> dict:
        """Returns the settings of all runs."""
        on_gpu = self.device == 'cuda'
        return dict(
            configs=self.configs,
            device=torch.cuda.get_device_name() if on_gpu else 'cpu',
            torch=torch.__version__,
            labels=self.labels,
            batch=self.batch,
            lr=self.lr,
            workers=self.workers,
            precision='bf16' if on_gpu else 'fp32',
        )

    def config(self, name: str, steps: int, validations: int, folder: Path) -> Config:
        """Returns the config of ``teacher``, ``plain``, or ``fpd``."""
        config = load_config(self.configs[name])
        config.load_from = None
        if name == 'fpd':
            config.model.teacher.update(
                config=self.configs['teacher'],
                checkpoint=str(self.out / 'teacher.pth'),
                speed='auto',
            )
            config.model.distill_loss.unlabeled_weight = UNLABELED_WEIGHT
        self._load_data(config, name)
        self._schedule(config, steps, validations)
        config.custom_hooks = [dict(type='FastTraining')]
        config.default_hooks.checkpoint = None
        config.work_dir = str(folder)
        config.randomness = dict(seed=0)
        config.experiment_name = config.visualizer.name = folder.name
        config.env_cfg.cudnn_benchmark = self.device == 'cuda'
        return config

    def _load_data(self, config: Config, name: str) -> None:
        config.model.data_preprocessor.non_blocking = True
        train = config.train_dataloader
        workers = self.workers
        for loader, batch, count in (
            (train, self.batch, workers),
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
        train.sampler = dict(type='InfiniteSampler')
        labeled, unlabeled = (str(path.relative_to(self.data)) for path in self.split)
        if name == 'fpd':
            train.batch_sampler.source_ratio = RATIO
            train.dataset.pop('data_root')
            for part, people in zip(
                train.dataset.datasets, (labeled, unlabeled), strict=True
            ):
                part.update(data_root=str(self.data), ann_file=people)
        elif name == 'plain':
            train.dataset.ann_file = labeled
        else:
            train.dataset.ann_file = 'annotations/mpii_train.json'
        if self.device == 'cuda':
            parts = train.dataset.get('datasets', [train.dataset])
            for step in parts[0].pipeline:
                if step.type == 'GenerateTarget':
                    step.encoder.sigma = SIGMA

    def _schedule(self, config: Config, steps: int, validations: int) -> None:
        config.train_cfg = dict(
            by_epoch=False, max_iters=steps, val_interval=steps // validations
        )
        config.param_scheduler = [
            dict(
                type='OneCycleLR',
                eta_max=self.lr,
                total_steps=steps,
                pct_start=0.2,
                by_epoch=False,
            )
        ]
        config.optim_wrapper = dict(optimizer=dict(type='Adam', lr=self.lr))
        config.log_processor = dict(by_epoch=False)
        config.default_hooks.logger.log_metric_by_epoch = False
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
