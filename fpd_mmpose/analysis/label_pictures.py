"""Draws a person's labels and what a teacher sees."""

from collections.abc import Sequence

import cv2
import numpy as np

from fpd_mmpose.analysis.suspicions import Suspicions
from fpd_mmpose.analysis.teacher_view import TeacherView
from fpd_mmpose.deploy.draw import FRACTION_BITS, to_fixed
from fpd_mmpose.geometry import crop_box, reference_warp

#: BGR colors that color-blind people can tell apart, and that of the rings.
LABELS, TEACHER, RING = (0, 159, 230), (233, 180, 86), (60, 0, 228)
_CASING = (0, 0, 0)
#: Pixels of the longer side of a picture.
_SIDE = 320


def draw_disagreement(
    image: np.ndarray,
    view: TeacherView,
    suspicions: Suspicions,
    row: int,
    links: Sequence[tuple[int, int]],
    threshold: float,
) -> np.ndarray:
    """Crops a person from a uint8 BGR image, and draws both skeletons.

    Suspicious joints have a ring, and a line from the label to the teacher's keypoint.
    """
    scale = view.scale[row]
    size = np.ceil(scale / scale.max() * _SIDE).astype(int).tolist()
    warp = reference_warp(view.center[row], scale, 0.0, size)
    picture = crop_box(image, warp, size)
    poses = [
        (view.labels[row], view.labeled[row], LABELS),
        (view.teacher[row], view.score[row] >= threshold, TEACHER),
    ]
    places = [to_fixed(points @ warp[:, :2].T + warp[:, 2]) for points, _, _ in poses]

    def line(start: np.ndarray, end: np.ndarray, color: tuple, width: int) -> None:
        ends = start.tolist(), end.tolist()
        cv2.line(picture, *ends, color, width, cv2.LINE_AA, FRACTION_BITS)

    def circle(point: np.ndarray, radius: int, color: tuple, width: int) -> None:
        center, size = point.tolist(), radius << FRACTION_BITS
        cv2.circle(picture, center, size, color, width, cv2.LINE_AA, FRACTION_BITS)

    for color, width in ((_CASING, 4), (None, 2)):
        for place, (_, seen, own) in zip(places, poses, strict=True):
            for one, other in links:
                if seen[one] and seen[other]:
                    line(place[one], place[other], color or own, width)
            for point in place[seen]:
                circle(point, width, color or own, -1)
    for joint in np.flatnonzero(suspicions.kind[row] != ''):
        label, found = places[0][joint], places[1][joint]
        if view.labeled[row, joint]:
            line(label, found, RING, 2)
        circle(found, 7, RING, 2)
    return picture
