"""Distills a student on drawn people, and shows the result."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS

from fpd_mmpose.errors import UserError
from fpd_mmpose.evaluation.mpii_pckh import EXCLUDED, SCORES
from fpd_mmpose.files import replace_when_done, write_bytes
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.studies import StudyReport, read_study, run_study
from fpd_mmpose.studies.arm_run import hits_of
from fpd_mmpose.studies.charts import COLORS
from fpd_mmpose.studies.people_picture import ArmPoses, people_with_gain, save_people
from fpd_mmpose.studies.people_split import split_people
from fpd_mmpose.studies.run_record import read_predictions
from fpd_mmpose.studies.study_plan import WEIGHTS, check_seeds
from fpd_mmpose.synthetic import write_dataset

STUDY = 'configs/quickstart/study.py'
TEACHER, CONTROL, BEST = 'teacher', 'control', 'unlabeled'
#: Seed of the drawn people. That of the teacher's is another.
PEOPLE_SEED = 20261127
_PICTURED = 6


def run_quickstart(
    out: Path,
    people: int,
    labels: int,
    held_out: int,
    seeds: Sequence[int],
    length: float = 1,
) -> None:
    """Draws people, trains students, and writes tables and pictures to ``out``.

    A teacher that comes with the package teaches a small student, of whose ``people``
    only some have ``labels``. A seed chooses those, the initial weights, and the order.
    """
    started = time.perf_counter()
    init_default_scope('mmpose')
    if labels >= people:
        raise UserError(
            f'labels must be less than the {people} people to train on, got {labels}'
        )
    if not length > 0:
        raise UserError(f'length must be positive, got {length:g}')
    check_seeds(seeds)
    write_dataset(out / 'data', people, held_out, seed=PEOPLE_SEED)
    for seed in seeds:
        split_people(out / 'data', labels, seed)
    plan = read_study(STUDY)
    if length != 1:
        arms = {
            name: replace(arm, length=arm.length * length)
            for name, arm in plan.arms.items()
        }
        plan = replace(plan, arms=arms)
    trained = sum(arm.trains for arm in plan.arms.values()) * len(seeds)
    print(
        f'Training {trained} students: {labels} people with labels, the others without'
    )
    report = run_study(plan, out, data=out / 'data', seeds=seeds)
    times = _milliseconds_per_person(report)
    table = result_table(report, times)
    with replace_when_done(out / 'results.md') as partial:
        partial.write_text(f'{table}\n\n{report.markdown()}\n', encoding='utf-8')
    for name in plan.arms:
        weights = report.plan.folder(out, name, seeds[0]) / WEIGHTS
        write_bytes(out / f'{name}.pth', weights.read_bytes())
    _draw_people(report, times, out / 'predictions.jpg')
    drawn = 'people and seeds' if len(seeds) > 1 else 'people'
    print(
        f'\nPCKh@0.5 in percent on {held_out} drawn people that no network was trained '
        f'on, with flip test;\nms: network only, one person, one thread.\n\n{table}\n'
    )
    over = report.rows[BEST].over[CONTROL]
    print(
        f'FPD with unlabeled people over plain training for as many samples: {over} '
        f'PCKh\n(95% interval over {drawn}), ahead in {over.ahead} of {over.pairs}.'
    )
    for name in ('predictions.jpg', 'gains.png', 'curves.png', 'results.json'):
        print(f'  {out / name}')
    print(f'Done in {time.perf_counter() - started:.0f} s.')


def result_table(report: StudyReport, times: Mapping[str, float]) -> str:
    """Formats the results as an aligned Markdown table, with milliseconds by arm."""
    lines = []
    for name, row in report.rows.items():
        model = MODELS.build(_config(report, name).model)
        parameters = sum(p.numel() for p in model.parameters())
        lines.append(
            [
                row.label,
                f'{parameters / 1e6:.2f} M',
                f'{times[name]:.1f}',
                f'{row.samples:,}' if report.plan.arms[name].trains else '',
                *(f'{report.mean_of(name, f"PCKh/{score}"):.1f}' for score in SCORES),
                '' if name == TEACHER else str(row.over.get(CONTROL, '')),
            ]
        )
    headings = ['', 'Params', 'ms', 'Samples', *SCORES, 'Over the control']
    return markdown_table(headings, lines, pad=True)


def _config(report: StudyReport, name: str) -> Config:
    return report.plan.config(name, report.plan.seeds[0], report.out, 1)


def _draw_people(report: StudyReport, times: Mapping[str, float], path: Path) -> None:
    """Draws the held-out people for whom distillation gains most."""
    plan, seed = report.plan, report.plan.seeds[0]
    # It becomes the current logger: the dataset would log who is used.
    MMLogger.get_instance('quickstart', log_level='ERROR')
    dataset = DATASETS.build(_config(report, CONTROL).test_dataloader.dataset)
    arms, hits = [], {}
    for name, arm in plan.arms.items():
        folder = plan.folder(report.out, name, seed)
        keypoints = read_predictions(folder, len(dataset))
        hits[name], annotated = hits_of(dataset, keypoints)
        if name != 'plain':
            score = report.rows[name].scores[plan.seed_of(name, seed)]
            label = f'{arm.label}\n{score:.1f}, {times[name]:.1f} ms'
            arms.append(ArmPoses(label, COLORS[arm.color], keypoints, hits[name]))
    counted = annotated.copy()
    counted[:, EXCLUDED] = False
    chosen = people_with_gain(hits[CONTROL], hits[BEST], counted, _PICTURED)
    save_people(path, dataset, chosen, arms, counted)


def _milliseconds_per_person(
    report: StudyReport, repeats: int = 40
) -> dict[str, float]:
    """Returns the median time of each arm's network, without flip test and pipeline.

    Students have one network. The networks take turns with one person; the first turns
    do not count.
    """
    # More threads wait for each other longer than they save in layers this small.
    torch.set_num_threads(1)
    width, height = _config(report, CONTROL).codec.input_size
    image = torch.randn(1, 3, height, width)
    models = {
        name: MODELS.build(_config(report, name).model).eval()
        for name in (TEACHER, CONTROL)
    }
    times: dict[str, list[float]] = {name: [] for name in models}
    with torch.inference_mode():
        for turn in range(repeats + repeats // 4):
            for name, model in models.items():
                start = time.perf_counter()
                model(image, None)
                if turn >= repeats // 4:
                    times[name].append(1000 * (time.perf_counter() - start))
    teacher, student = (statistics.median(measured) for measured in times.values())
    return {name: teacher if name == TEACHER else student for name in report.plan.arms}
