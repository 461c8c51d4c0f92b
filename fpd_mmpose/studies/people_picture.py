"""What several networks predict for the same people, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import cv2
import numpy as np
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
    """Returns the people of whom the most joints more are right after than before.

    The arrays (N, K) say which joints are right before and after, and which are
    annotated and part of the score. The largest gain is first, equal ones are in the
    given order. These are the best cases: say so where they are shown.
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

    A ring marks a wrong joint that is ``counted``, (N, K) bool, because it is annotated
    and part of the score; a line leads to where it is.
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
            wrong = counted[index] & ~arm.hits[index]
            for pair in np.stack([points, target], axis=2)[wrong]:
                axis.plot(*pair, color=_WRONG, lw=1.2, path_effects=_CASING)
                axis.plot(*pair[:, 0], 'o', ms=8, mew=1.6, mfc='none', mec=_WRONG)
            found = (counted[index] & arm.hits[index]).sum()
            axis.text(
                0.97,
                0.03,
                f'{found}/{counted[index].sum()}',
                transform=axis.transAxes,
                ha='right',
                va='bottom',
                color='white',
                fontsize=10,
                bbox=dict(boxstyle='square,pad=0.15', color='black', alpha=0.6, lw=0),
            )
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
