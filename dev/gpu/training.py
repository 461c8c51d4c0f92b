#!/usr/bin/env python
"""Trains a teacher on all labels, and students on few of them, plainly and by FPD.

Both students start from random weights and have the same number of steps and people
per step; with FPD, three quarters of these are the others, without their labels. The
steps that fit in the given seconds are planned from speeds that are measured first.
After each run, its weights (NAME.pth) and all validation scores by step (training.json,
training.png) are written.
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
    teacher='teacher, all labels',
    plain='plain student, {labels} labels',
    fpd='FPD, {labels} labels, with unlabeled people',
)
#: Share of the time for the teacher.
TEACHER = 0.5
#: Cost of the teacher's forward pass, relative to its training.
FORWARD = 0.25
#: Seconds to build a run and start its workers, and to choose the teacher's formats.
START, CHOICE = 4.0, 20.0
MEASURED_STEPS = 24
LEAST_STEPS, MOST_VALIDATIONS = 4, 6


class Study:
    """Plans and trains the three runs within a number of seconds."""

    def __init__(self, recipe: Recipe, out: Path, seconds: float):
        self.recipe = recipe
        self.out = out
        self.end = time.monotonic() + seconds
        self.titles = {
            name: title.format(labels=recipe.labels) for name, title in NAMES.items()
        }
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
        teacher, plain = map(self.step_seconds, rates.values())
        self.train('teacher', (TEACHER * self.left - START) / teacher)
        fpd = plain + FORWARD * rates['teacher']['step']
        steps = (self.left - 2 * START - CHOICE) / (plain + fpd)
        self.train('plain', steps)
        self.train('fpd', self.found['runs']['plain']['steps'])

    def step_seconds(self, rate: dict[str, float]) -> float:
        """Predicts the seconds of a step, with its share of the validations."""
        loader = self.found['rates']['teacher']['loader']
        step = max(rate['step'], self.recipe.batch / loader)
        # The validations share a tenth of the time.
        return 1.05 * step / 0.9

    def measure(self, name: str) -> dict[str, float]:
        """Measures a step and a validation in seconds, and the dataloader once."""
        stopwatch = Stopwatch()
        folder = self.out / f'rate_{name}'
        config = self.recipe.config(name, MEASURED_STEPS, 1, folder)
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

    def train(self, name: str, steps: float) -> None:
        """Trains a network, and writes all results so far."""
        start = time.monotonic()
        stopwatch = Stopwatch()
        folder = self.out / name
        steps = max(LEAST_STEPS, int(steps))
        role = 'teacher' if name == 'teacher' else 'plain'
        rate = self.found['rates'][role]
        fit = 0.1 * steps * rate['step'] / max(rate['validation'], 1e-3)
        validations = min(MOST_VALIDATIONS, max(1, int(fit)), steps)
        steps -= steps % validations  # the last step is validated
        config = self.recipe.config(name, steps, validations, folder)
        runner = Runner.from_cfg(config)
        runner.register_hook(stopwatch)
        runner.train()
        with replace_when_done(self.out / f'{name}.pth') as partial:
            torch.save(dict(state_dict=runner.model.state_dict()), partial)
        teacher = getattr(runner.model, 'teacher', None)
        scores = {
            step: scores[METRIC]
            for step, scores in read_log(folder).validations.items()
        }
        self.found['runs'][name] = dict(
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
        draw(self.found['runs'], self.titles, self.out / 'training.png')
        print('\n'.join(self.conclusions()), flush=True)

    def conclusions(self) -> list[str]:
        """Summarizes each run in a line."""
        return [
            f'{self.titles[name]}: PCKh@0.5 {list(run["scores"].values())[-1]:.2f} '
            f'after {run["steps"]} steps '
            f'({run["people_per_second"]:.0f} people/s, {run["seconds"]:.0f} s)'
            for name, run in self.found['runs'].items()
        ]


def draw(runs: dict[str, dict], titles: dict[str, str], path: Path) -> None:
    """Draws the scores by step."""
    figure = Figure(figsize=(8, 5))
    axis = figure.subplots()
    for name, run in runs.items():
        axis.plot(*zip(*run['scores'].items(), strict=True), '.-', label=titles[name])
    axis.set(xlabel='step', ylabel='PCKh@0.5 of the validation people, %')
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
        '--lr', type=float, default=2e-3, help='highest learning rate (0.002)'
    )
    parser.add_argument('--labels', type=int, help='people with labels (300; cpu: 8)')
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(args.data, args.device, args.out, args.lr, args.batch, args.labels)
    study = Study(recipe, args.out, args.seconds)
    study.run()
    scores = [s for run in study.found['runs'].values() for s in run['scores'].values()]
    return int(not all(map(math.isfinite, scores)))


if __name__ == '__main__':
    sys.exit(main())
