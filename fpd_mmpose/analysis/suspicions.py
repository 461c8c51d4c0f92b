"""Tells label errors from a teacher's failures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fpd_mmpose.analysis.teacher_view import TeacherView
from fpd_mmpose.evaluation.mpii_pckh import head_distances

#: Points this near to each other, in head sizes, agree, as in PCKh@0.5.
NEAR = 0.5
MOVED, SWAPPED, UNLABELED = 'moved', 'swapped', 'unlabeled'


class Suspicions(NamedTuple):
    """What is suspicious about N people with K joints, in arrays (N, K)."""

    distance: np.ndarray  # of label and teacher in head sizes; NaN without either
    kind: np.ndarray  # ``'moved'``, ``'swapped'``, ``'unlabeled'``, or empty
    score: np.ndarray  # how suspicious that is, from 0 to 1

    def ranking(self) -> np.ndarray:
        """Returns the N people, those with the most suspicious label first."""
        unlabeled = self.kind == UNLABELED
        wrong = np.where(unlabeled, 0, self.score).max(axis=1)
        missing = np.where(unlabeled, self.score, 0).max(axis=1)
        return np.lexsort((-missing, -wrong))


def find_suspicions(
    view: TeacherView, flip_indices: Sequence[int], threshold: float
) -> Suspicions:
    """Finds labels that contradict a teacher whose score is above a threshold.

    A swap is that the teacher sees each joint of a pair where the other has its label.
    Scores are the height of the teacher's peak less that of its heatmap at the label,
    times two shares of labels that the teacher confirms: among the person's other
    joints, and among all people's labels of the joint. A teacher that fails is unsure,
    takes the label for possible too, misses more of the person, or often misses that
    joint. A joint without a label gets the height times the first share.
    """
    flips = np.asarray(flip_indices)
    is_pair = flips != np.arange(len(flips))
    known = view.labeled & (view.score > 0)
    distance = head_distances(view.teacher, view.labels, view.head)
    across = head_distances(view.teacher, view.labels[:, flips], view.head)
    near, far = known & (distance <= NEAR), known & (distance > NEAR)
    is_sure = (view.score >= threshold) & (view.score > 0)
    crossed = far & is_sure & (across <= NEAR) & is_pair
    swapped = crossed & crossed[:, flips]
    kind = np.select(
        [swapped, far & is_sure, ~view.labeled & is_sure],
        [SWAPPED, MOVED, UNLABELED],
        '',
    )

    def count_others(which: np.ndarray) -> np.ndarray:
        # Without the joint's own pair.
        own = which.astype(int) + (which[:, flips] & is_pair)
        return which.sum(axis=1, keepdims=True) - own

    # Few labels say little: with one imagined joint of each kind.
    trust = (count_others(near) + 1) / (count_others(known) + 2)
    usual = near.sum(axis=0) / known.sum(axis=0).clip(1)
    score = (view.score - np.where(view.labeled, view.support, 0)) * trust
    score = np.where(view.labeled, score * usual, score)
    # A swap is as sure as its less sure joint.
    score = np.where(swapped, np.minimum(score, score[:, flips]), score)
    return Suspicions(
        np.where(known, distance, np.nan), kind, np.where(kind == '', 0, score)
    )
