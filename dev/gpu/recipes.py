"""The project's recipes, in the formats and the short schedule of a GPU run."""

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

from fpd_mmpose.config import load_config
from fpd_mmpose.device_accuracy import keep_accuracy_on_device
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
#: Training people on the CPU.
REHEARSED = 64
#: Batches that wait between a worker and the step.
PREFETCH = 2
#: Steps that are not counted: the first choose algorithms and start workers.
WARM_UP = 8


class Recipe:
    """Makes the configs of the runs.

    Args:
        data (Path): In MPII's layout.
        device (str): ``'cuda'``: the full networks in bfloat16; ``'cpu'``: small ones.
        out (Path): Where the weights of finished runs are.
        lr (float): Highest learning rate.
        batch (int, optional): People in a step. 32 by default, on the CPU 8.
    """

    def __init__(
        self, data: Path, device: str, out: Path, lr: float, batch: int | None = None
    ):
        self.data = data
        self.device = device
        self.out = out
        self.lr = lr
        self.batch = batch or (32 if device == 'cuda' else 8)
        people = json.loads((data / 'annotations/mpii_train.json').read_text())
        self.people = len(people) if device == 'cuda' else min(len(people), REHEARSED)
        self.steps = max(1, self.people // self.batch)
        self.configs = FULL if device == 'cuda' else SMALL
        self.workers = self._workers()

    def describe(self) -> dict:
        """What all runs have in common.

        Returns:
            dict: For :mod:`json`.
        """
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
        """Makes the config of a run.

        Args:
            name (str): ``'teacher'``, ``'plain'``, ``'longer'`` or ``'fpd'``.
            epochs (int): How many.
            folder (Path): Its work directory.

        Returns:
            Config: For the Runner.
        """
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
            config.train_dataloader.dataset.indices = self.people
        # Batches of one size keep cuDNN from searching again.
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
            # bfloat16 has the range of float32 and needs no scaling of the loss.
            config.optim_wrapper.update(
                type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False)
            )

    def _workers(self) -> int:
        """As many as leave cores for the step, and as shared memory has room for."""
        if self.device == 'cpu':
            return 0
        cores = len(os.sched_getaffinity(0)) - 3
        picture, maps = 3 * 256 * 256, 4 * 16 * 64 * 64
        waiting = PREFETCH * self.batch * (picture + maps)
        room = shutil.disk_usage('/dev/shm').free if Path('/dev/shm').exists() else 0
        return max(1, min(cores, int(0.8 * room / waiting)))


@HOOKS.register_module()
class FastTraining(Hook):
    """Lets a network train in the formats of tensor cores."""

    def before_train(self, runner: Runner) -> None:
        """Changes the weights' format, and with it that of the activations.

        Args:
            runner (Runner): The runner.
        """
        runner.model.backbone.to(memory_format=torch.channels_last)
        if not isinstance(runner.model, FPDDistiller):  # which does so itself
            keep_accuracy_on_device(runner.model.head)


class Stopwatch(Hook):
    """Notes when steps end, and how long a validation takes."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.taken: list[float] = []
        self.validation = 0.0
        self._last: float | None = None

    def before_val(self, runner: Runner) -> None:
        """Starts the clock of a validation.

        Args:
            runner (Runner): The runner.
        """
        self._last = time.perf_counter()

    def after_val(self, runner: Runner) -> None:
        """Stops it.

        Args:
            runner (Runner): The runner.
        """
        self.validation = time.perf_counter() - self._last
        self._last = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Leaves out what happened between the epochs.

        Args:
            runner (Runner): The runner.
        """
        self._last = None

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Takes the time. MMEngine has read the losses, so the GPU has come to here.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Not used.
            data_batch (dict, optional): Not used.
            outputs (dict, optional): Not used.
        """
        now = time.perf_counter()
        if self._last is not None:
            self.taken.append(now - self._last)
        self._last = now

    def step(self) -> float:
        """Gives the mean of the steps, without the first ones.

        Returns:
            float: Seconds.
        """
        return statistics.fmean(self.taken[WARM_UP:] or self.taken or [0.0])

    @staticmethod
    def loader_rate(loader: DataLoader, batch: int, seconds: float = 3.0) -> float:
        """Measures what a loader delivers when nothing else is done.

        Args:
            loader (DataLoader): With its workers running, if it has any.
            batch (int): People in a batch.
            seconds (float): How long, at most.

        Returns:
            float: People per second.
        """
        waiting = loader.num_workers * PREFETCH  # ready when the clock starts
        count, start = 0, time.perf_counter()
        for count, _ in enumerate(loader, 1):  # noqa: B007
            if count == waiting:
                start = time.perf_counter()
            if time.perf_counter() - start > seconds:
                break
        return max(1, count - waiting) * batch / (time.perf_counter() - start)
