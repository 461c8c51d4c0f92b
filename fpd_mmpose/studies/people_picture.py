"""What several networks predict for the same people, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.geometry import crop_box
from fpd_mmpose.inputs import read_image
from fpd_mmpose.studies.charts import WIDTH, save_figure

# Skeletons are drawn without antialiasing: large, and then made smaller.
_CANVAS = 480
_WRONG = '#E4003A'
_CASING = [withStroke(linewidth=2.2, foreground='white')]


class ArmPoses(NamedTuple):
    """What an arm predicts for N people.

    ``keypoints`` are (N, K, 2) in pixels of the images, and ``hits`` (N, K) bool,
    whether a keypoint is within the threshold of the score.
    """

    label: str
    color: str
    keypoints: np.ndarray
    hits: np.ndarray


def people_with_gain(
    before: np.ndarray, after: np.ndarray, counted: np.ndarray, count: int
) -> list[int]:
    """Chooses the people of whom the most joints more are right after than before.

    Args:
        before: (N, K) bool, whether the arm to improve on has a joint right.
        after: The same of the arm that may improve on it.
        counted: (N, K) bool, whether a joint is annotated and part of the score.
        count: How many people to choose.

    Returns:
        Their indices, the largest gain first and equal ones in the given order. These
        are the best cases: say so where they are shown.
    """
    gain = (after & counted).sum(axis=1) - (before & counted).sum(axis=1)
    return np.argsort(-gain, kind='stable')[:count].tolist()


def save_people(
    path: Path,
    dataset: FPDMpiiDataset,
    indices: Sequence[int],
    arms: Sequence[ArmPoses],
    counted: np.ndarray,
) -> None:
    """Draws people, one column each, with the ground truth and what each arm predicts.

    A ring marks a counted joint that is wrong, and a line leads to where it is.

    Args:
        path: The JPEG file to write.
        dataset: Where the people are, in the order of the arrays.
        indices: The people to draw.
        arms: A row each.
        counted: (N, K) bool, whether a joint is annotated and part of the score.
    """
    visualizer = PoseLocalVisualizer('study', radius=7, line_width=7)
    visualizer.set_dataset_meta(dataset.metainfo, skeleton_style='mmpose')
    cell = WIDTH / max(len(indices), 4)
    margin = 0.06
    figure = Figure((cell * len(indices), (1 - margin) * cell * (len(arms) + 1)))
    room = dict(left=margin, right=1, bottom=0, top=1, wspace=0.02, hspace=0.02)
    axes = figure.subplots(len(arms) + 1, len(indices), squeeze=False, gridspec_kw=room)
    for (truth, *rows), index in zip(axes.T, indices, strict=True):
        person = dataset.get_data_info(index)
        left, top, right, _ = person['bbox'][0]
        zoom = _CANVAS / (right - left)
        place = np.array([[zoom, 0, -zoom * left], [0, zoom, -zoom * top]])
        image = read_image(person['img_path'])[..., ::-1]
        image = crop_box(image, place, (_CANVAS, _CANVAS), None, cv2.INTER_CUBIC)
        target = (person['keypoints'][0] - (left, top)) * zoom
        seen = person['keypoints_visible'][0] > 0
        truth.imshow(_draw_pose(visualizer, image, target, seen))
        for axis, arm in zip(rows, arms, strict=True):
            points = (arm.keypoints[index] - (left, top)) * zoom
            axis.imshow(_draw_pose(visualizer, image, points, np.ones_like(seen)))
            _mark_wrong(axis, points, target, counted[index] & ~arm.hits[index])
            found = (counted[index] & arm.hits[index]).sum()
            _write_count(axis, f'{found}/{counted[index].sum()}')
    for axis in axes.flat:
        # What lies outside must not enlarge the cell.
        axis.set(xlim=(0, _CANVAS), ylim=(_CANVAS, 0), xticks=[], yticks=[])
        axis.set_frame_on(False)
    labels = [('Ground truth', 'black'), *((arm.label, arm.color) for arm in arms)]
    for axis, (label, color) in zip(axes[:, 0], labels, strict=True):
        text = '\n'.join(fill(line, 16) for line in label.splitlines())
        axis.set_ylabel(text, color=color, fontsize=9, weight='bold')
    jpeg = dict(quality=78, optimize=True, progressive=True)
    save_figure(figure, path, format='jpg', pil_kwargs=jpeg)


def _draw_pose(
    visualizer: PoseLocalVisualizer,
    image: np.ndarray,
    points: np.ndarray,
    seen: np.ndarray,
) -> np.ndarray:
    pose = InstanceData(keypoints=points[None], keypoints_visible=seen[None])
    visualizer.add_datasample(
        'pose', image, PoseDataSample(pred_instances=pose), draw_gt=False
    )
    return visualizer.get_image()


def _mark_wrong(
    axis: Axes, points: np.ndarray, target: np.ndarray, wrong: np.ndarray
) -> None:
    for point, true in zip(points[wrong], target[wrong], strict=True):
        axis.plot(
            *zip(point, true, strict=True), color=_WRONG, lw=1.2, path_effects=_CASING
        )
        axis.plot(*point, 'o', ms=8, mew=1.6, mfc='none', mec=_WRONG)


def _write_count(axis: Axes, text: str) -> None:
    axis.text(
        0.97,
        0.03,
        text,
        transform=axis.transAxes,
        ha='right',
        va='bottom',
        color='white',
        fontsize=10,
        bbox=dict(boxstyle='square,pad=0.15', color='black', alpha=0.6, lw=0),
    )
