"""The images that the quick start saves."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from mmpose.apis import inference_topdown
from mmpose.registry import DATASETS
from mmpose.visualization import PoseLocalVisualizer
from torch import nn

from fpd_mmpose.files import replace_when_done
from fpd_mmpose.inputs import read_image

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

#: Enlarges images before skeletons are drawn on them.
ZOOM = 2
#: The first of the held-out people are shown.
NUM_PEOPLE = 6
COLORS = ('#4c72b0', '#dd8452', '#55a868')


def save_predictions(
    path: Path, models: Sequence[nn.Module], labels: Sequence[str], dataset: dict
) -> None:
    """Draws the predictions of the networks for the same test people, one row each."""
    people = DATASETS.build(dataset)
    visualizer = PoseLocalVisualizer('quickstart', radius=4, line_width=3)
    visualizer.set_dataset_meta(people.metainfo, skeleton_style='mmpose')
    figure, axes = plt.subplots(
        len(models) + 1,
        NUM_PEOPLE,
        figsize=(2 * NUM_PEOPLE, 2.1 * (len(models) + 1)),
        squeeze=False,
    )
    for column in range(NUM_PEOPLE):
        person = people.get_data_info(column)
        image = read_image(person['img_path'])[..., ::-1]
        canvas = cv2.resize(image, None, fx=ZOOM, fy=ZOOM)
        _show(axes[0, column], canvas, 'Held-out people' if column == 0 else '')
        for row, (model, label) in enumerate(zip(models, labels, strict=True), 1):
            sample = inference_topdown(model, person['img_path'], person['bbox'])[0]
            sample.pred_instances.keypoints *= ZOOM
            visualizer.add_datasample(
                label,
                canvas.copy(),
                sample,
                draw_gt=False,
                draw_bbox=False,
                kpt_thr=0.0,
                show=False,
            )
            _show(axes[row, column], visualizer.get_image(), '' if column else label)
    figure.tight_layout(pad=0.3)
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='jpg')
    plt.close(figure)


def _show(axis: plt.Axes, image: np.ndarray, label: str) -> None:
    axis.imshow(image)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_ylabel(label, fontsize=11)


def save_curves(path: Path, logs: Sequence[list[dict]], labels: Sequence[str]) -> None:
    """Plots the pose loss and the validation score of the runs."""
    figure, (losses, scores) = plt.subplots(1, 2, figsize=(11, 4))
    for log, label, color in zip(logs, labels, COLORS, strict=True):
        # A distilled run logs its unscaled pose term as `pose`.
        steps = [entry for entry in log if 'loss_kpt' in entry]
        stages = 2 if 'Teacher' in label else 1
        losses.plot(
            [entry['step'] for entry in steps],
            [entry.get('pose', entry['loss_kpt']) / stages for entry in steps],
            color=color,
            label=label,
        )
        tests = [entry for entry in log if 'PCKh/Mean' in entry]
        scores.plot(
            [entry['step'] for entry in tests],
            [entry['PCKh/Mean'] for entry in tests],
            'o-',
            color=color,
            label=label,
        )
    losses.set(xlabel='step', ylabel='pose loss per stack', yscale='log')
    scores.set(xlabel='epoch', ylabel='PCKh@0.5 on held-out people, %')
    for axis in (losses, scores):
        axis.grid(alpha=0.3)
        axis.legend()
    figure.tight_layout()
    with replace_when_done(path) as partial:
        figure.savefig(partial, dpi=100, format='png')
    plt.close(figure)
