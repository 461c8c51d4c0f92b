#!/usr/bin/env python
"""Trains a teacher, a plain student, and continues it with and without the teacher.

The four runs have the same schedule and batch. The last two start from the plain
student and have the same number of steps. The epochs that fit in the given seconds are
planned from speeds that are measured first. After each run, its weights (NAME.pth) and
all validation scores by epoch (training.json, training.png) are written.
"""

import argparse
import gc
import math
import multiprocessing
import sys
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure
from mmengine.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'dev'), str(Path(__file__).parent)]

from recipes import Recipe, Stopwatch  # noqa: E402

from fpd_mmpose.files import replace_when_done, write_json  # noqa: E402
from fpd_mmpose.reports.logs import read_log  # noqa: E402

METRIC = 'PCKh/Mean'
NAMES = dict(
    teacher='teacher',
    plain='plain student',
    longer='plain student, continued plainly',
    fpd='plain student, then FPD',
)
#: Shares of the time for the teacher and for the plain student.
TEACHER, PLAIN = 0.45, 0.17
#: Cost of a forward pass, relative to forward and backward.
FORWARD = 0.35
#: Seconds to build a run and start its workers.
START = 4.0
MEASURED_STEPS = 24


class Study:
    """Plans and trains the four runs within a number of seconds."""

    def __init__(self, recipe: Recipe, out: Path, seconds: float):
        self.recipe = recipe
        self.out = out
        self.end = time.monotonic() + seconds
        self.found: dict = dict(settings=recipe.describe(), seconds=seconds, runs={})

    @property
    def left(self) -> float:
        """Returns the seconds left."""
        return self.end - time.monotonic()

    def run(self) -> None:
        """Measures, plans, and trains."""
        rates = {name: self.measure(name) for name in ('teacher', 'plain')}
        self.found['rates'] = rates
        print(f'rates: {rates}', flush=True)
        epoch = {name: self.epoch_seconds(rate) for name, rate in rates.items()}
        left = self.left - 4 * START
        epochs = max(1, int(TEACHER * left / epoch['teacher']))
        self.train('teacher', epochs)
        epochs = max(1, int(PLAIN * left / epoch['plain']))
        self.train('plain', epochs)
        # By now, the speed of a whole run is known.
        plain = self.found['runs']['plain']['seconds'] / epochs
        teacher = FORWARD * rates['teacher']['step'] * self.recipe.steps
        fits = (self.left - 2 * START) / (2 * plain + teacher)
        epochs = max(1, min(epochs, int(fits)))
        self.train('fpd', epochs)
        self.train('longer', epochs)

    def epoch_seconds(self, rate: dict[str, float]) -> float:
        """Predicts the seconds of an epoch with its validation."""
        loader = self.found['rates']['teacher']['loader']
        step = max(rate['step'], self.recipe.batch / loader)
        return 1.05 * step * self.recipe.steps + rate['validation']

    def measure(self, name: str) -> dict[str, float]:
        """Measures a step and a validation in seconds, and the dataloader once."""
        stopwatch = Stopwatch()
        config = self.recipe.config(name, 1, self.out / f'rate_{name}')
        steps = min(MEASURED_STEPS, self.recipe.steps)
        config.train_cfg = dict(by_epoch=False, max_iters=steps, val_interval=steps)
        runner = Runner.from_cfg(config)
        runner.register_hook(stopwatch)
        runner.train()
        rate = dict(step=stopwatch.step(), validation=stopwatch.validation)
        if name == 'teacher':
            loader = runner.train_dataloader
            rate['loader'] = stopwatch.loader_rate(loader, self.recipe.batch)
        del runner
        _free()
        return rate

    def train(self, name: str, epochs: int) -> None:
        """Trains a network, and writes all results so far."""
        start = time.monotonic()
        stopwatch = Stopwatch()
        folder = self.out / name
        runner = Runner.from_cfg(self.recipe.config(name, epochs, folder))
        runner.register_hook(stopwatch)
        runner.train()
        with replace_when_done(self.out / f'{name}.pth') as partial:
            torch.save(dict(state_dict=runner.model.state_dict()), partial)
        teacher = getattr(runner.model, 'teacher', None)
        scores = {
            epoch: scores[METRIC]
            for epoch, scores in read_log(folder).validations.items()
        }
        self.found['runs'][name] = dict(
            epochs=epochs,
            steps=runner.iter,
            step_seconds=stopwatch.step(),
            people_per_second=self.recipe.batch / stopwatch.step(),
            scores=scores,
            teacher_plan=str(teacher._fast.plan) if teacher else None,
            seconds=time.monotonic() - start,
        )
        if self.recipe.device == 'cuda':
            peak = torch.cuda.max_memory_allocated()
            self.found['runs'][name]['memory_bytes'] = peak
            torch.cuda.reset_peak_memory_stats()
        del runner, teacher
        _free()
        write_json(self.out / 'training.json', self.found, indent=1)
        write_json(self.out / 'conclusions.json', self.conclusions(), indent=1)
        draw(self.found['runs'], self.out / 'training.png')
        print('\n'.join(self.conclusions()), flush=True)

    def conclusions(self) -> list[str]:
        """Summarizes each run in a line."""
        return [
            f'{NAMES[name]}: PCKh@0.5 {list(run["scores"].values())[-1]:.2f} after '
            f'{run["epochs"]} epochs ({run["steps"]} steps, '
            f'{run["people_per_second"]:.0f} people/s, {run["seconds"]:.0f} s)'
            for name, run in self.found['runs'].items()
        ]


def draw(runs: dict[str, dict], path: Path) -> None:
    """Draws the scores by epoch; the last two runs continue the plain student."""
    figure = Figure(figsize=(8, 5))
    axis = figure.subplots()
    for name, run in runs.items():
        offset = runs['plain']['epochs'] if name in ('fpd', 'longer') else 0
        epochs = [offset + epoch for epoch in run['scores']]
        axis.plot(epochs, list(run['scores'].values()), marker='.', label=NAMES[name])
    axis.set(xlabel='epoch', ylabel='PCKh@0.5 of the validation people, %')
    axis.grid(alpha=0.3)
    axis.legend()
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')


def _free() -> None:
    # Each idle worker of a dataloader took 5 s to end by itself, next to a GPU.
    for worker in multiprocessing.active_children():
        worker.kill()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help="data in MPII's layout")
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument(
        '--seconds', type=float, required=True, help='time limit for all runs'
    )
    parser.add_argument(
        '--device', default='cuda', help='cuda, or cpu for small networks (cuda)'
    )
    parser.add_argument('--batch', type=int, help='people per step (96; cpu: 8)')
    parser.add_argument(
        '--lr', type=float, default=1e-3, help='highest learning rate (0.001)'
    )
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(args.data, args.device, args.out, args.lr, args.batch)
    study = Study(recipe, args.out, args.seconds)
    study.run()
    scores = [s for run in study.found['runs'].values() for s in run['scores'].values()]
    return int(not all(map(math.isfinite, scores)))


if __name__ == '__main__':
    sys.exit(main())
